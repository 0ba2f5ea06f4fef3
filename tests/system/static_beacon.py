"""A Beacon of others: python static_beacon.py FOLDER ENDPOINT_FILE MANNER.

It answers from the Beacon documents of an export (``{collection}.json.gz``), read into memory, with
nothing but the standard library, GET and POST. Manners: ``honest``; ``boolean``: says yes or no
only; ``shifted``: takes positions for 1-based, the usual mistake; ``forgetful``: its counts of
alleles leave out one.
"""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

MANNERS = ("honest", "boolean", "shifted", "forgetful")


class Collections:
    """Documents, and the selection of those that answer a query."""

    def __init__(self, folder, manner):
        self.manner = manner
        self.variants, self.individuals = (
            json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes()))
            for name in ("genomicVariations", "individuals")
        )

    def answer(self, entry_type, parameters, filters):
        """Select the documents that match a query."""
        shift = 1 if self.manner == "shifted" else 0
        if entry_type == "g_variants":
            return [self._told(one) for one in self._variants(parameters, shift)]
        people = [one for one in self.individuals if all(_has(one, term) for term in filters)]
        if not parameters.keys() - {"assemblyId"}:
            return people
        cases = [case for one in self._variants(parameters, shift) for case in one["caseLevelData"]]
        carriers = {case["individualId"] for case in cases}
        return [one for one in people if one["id"] in carriers]

    def _variants(self, asked, shift):
        start = int(asked["start"][0]) + shift
        end = int(asked["end"][0]) + shift if "end" in asked else start + 1
        contig = str(asked["referenceName"]).removeprefix("chr")
        for one in self.variants:
            place, variation = one["_position"], one["variation"]
            if place["refseqId"] != contig:
                continue
            if "referenceBases" in asked:
                wanted = (start, asked["referenceBases"], asked["alternateBases"])
                bases = (variation["referenceBases"], variation["alternateBases"])
                if (place["startInteger"], *bases) == wanted:
                    yield one
            elif place["startInteger"] < end and place["endInteger"] > start:
                yield one

    def _told(self, one):
        if self.manner != "forgetful":
            return one
        told = json.loads(json.dumps(one))
        told["frequencyInPopulations"][0]["frequencies"][0]["alleleCount"] -= 1
        return told


def _has(individual, term):
    codes = {individual["sex"]["id"]}
    codes |= {one["diseaseCode"]["id"] for one in individual["diseases"]}
    return term in codes


def body_of(found, granularity, entry_type):
    meta = {"beaconId": "org.static", "apiVersion": "v2.0", "returnedGranularity": granularity}
    said = {"meta": meta, "responseSummary": {"exists": bool(found)}}
    if granularity != "boolean":
        said["responseSummary"]["numTotalResults"] = len(found)
    if granularity == "record":
        one = {"id": "STATIC", "setType": entry_type, "exists": bool(found)}
        one |= {"resultsCount": len(found), "results": found}
        said["response"] = {"resultSets": [one]}
    return said


class Handler(BaseHTTPRequestHandler):
    collections: Collections
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        lists = {"start", "end", "filters"}
        plain = {k: v[0].split(",") if k in lists else v[0] for k, v in query.items()}
        known = ("assemblyId", "referenceName", "referenceBases", "alternateBases", "start", "end")
        parameters = {key: plain[key] for key in known if key in plain}
        self.reply(parameters, plain.get("filters", []), plain["requestedGranularity"])

    def do_POST(self):
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"]
        filters = [one["id"] for one in query["filters"]]
        self.reply(query.get("requestParameters", {}), filters, query["requestedGranularity"])

    def reply(self, parameters, filters, granularity):
        entry_type = urlsplit(self.path).path.strip("/")
        if entry_type not in ("g_variants", "individuals"):
            content, status = {"error": {"errorCode": 404, "errorMessage": "not here"}}, 404
        else:
            found = self.collections.answer(entry_type, parameters, filters)
            if self.collections.manner == "boolean":
                granularity = "boolean"
            content, status = body_of(found, granularity, entry_type), 200
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def serve(folder, endpoint, manner):
    Handler.collections = Collections(folder, manner)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aside = endpoint.with_suffix(".part")
    aside.write_text(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}))
    aside.rename(endpoint)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
