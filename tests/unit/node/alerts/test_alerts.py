"""Standing queries at a node: who is told when somebody arrives, and when nobody is."""

import asyncio
import json
import sqlite3
from dataclasses import replace
from functools import partial

import orjson
import pytest

from rehearsal.model import InputError, Variant
from rehearsal.network.issuer import issue, make_issuer, person
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import AccessMiddleware
from rehearsal.node.access.settings import AccessSettings, Veto
from rehearsal.node.alerts.alert_store import FILE_NAME, AlertStore, find_person_of_alert
from rehearsal.node.alerts.endpoints import SubscriptionEndpoints
from rehearsal.node.alerts.patient_import import NewPatient, import_patient, read_patient
from rehearsal.node.alerts.patient_monitor import PatientMonitor
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.settings import NodeSettings
from rehearsal.web.app import Api

from ..conftest import call

DATASET = "GDI-FI-REHEARSAL-1"
AUDIENCE = "https://network.rehearsal.example"
CARE = "DUO:0000043"
TLR7 = Variant("chrX", 12_886_152, "C", "T")  # beside one that is common here
COMMON = Variant("chrX", 12_886_151, "A", "G")
SEVERE, MILD = "HP:0033141", "HP:0001945"
PROFILE = {
    "sex": "male",
    "age": {"from": 18, "to": 40},
    "terms": [SEVERE],
    "gene": "TLR7",
    "maximumFrequency": 0.01,
}
PATIENT = NewPatient("FI-A1", "male", 29, frozenset({SEVERE}), frozenset({TLR7}), (CARE,))


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("issuer") / "mine")


@pytest.fixture(scope="module")
def tokens(issuer):
    who = {
        "pablo": person("clinician", "ES", [DATASET]),
        "other": person("clinician", "SE", [DATASET]),
        "registered": person("researcher", "SE"),
    }
    return {name: issue(issuer, one, AUDIENCE).passport for name, one in who.items()}


class Node:
    """A node that can be stopped and started again on the same folder."""

    def __init__(self, node_data, issuer, tokens, folder):
        self.folder, self.tokens = folder, tokens
        self.access = AccessSettings(audience=(AUDIENCE,), issuers=(issuer.trusted(),))
        settings = replace(NodeSettings.for_country("FI", "Finland"), access=self.access)
        self.settings = replace(settings, genes=node_data.settings.genes)
        self.settings.write(folder)
        self.variants, self.people = node_data.variants, node_data.people
        self.start()

    def start(self, clock=None, **access):
        settings = replace(self.settings, access=replace(self.access, **access))
        node_data = NodeData(settings, self.variants, self.people)
        authorizer = Authorizer(
            node_data.settings, node_data.people, audit=AuditLog(self.folder / "audit.jsonl")
        )
        store = AlertStore(self.folder / FILE_NAME)
        extra = {} if clock is None else {"clock": clock}
        self.monitor = PatientMonitor(node_data, authorizer, store, self.folder, **extra)
        api = Api(partial(envelope.error, "org.rehearsal.fi"), "node")
        SubscriptionEndpoints(node_data, self.monitor).add_to(api)
        self.app = AccessMiddleware(api, authorizer)

    async def asks(self, path, body=None, who="pablo", method=None, purpose=CARE, parameters=""):
        headers = [(b"x-rehearsal-purpose", purpose.encode())] if purpose else []
        if who is not None:
            headers.append((b"authorization", f"Bearer {self.tokens[who]}".encode()))
        body = None if body is None else orjson.dumps(body)
        status, _, told = await call(self.app, path, body, parameters, method, headers)
        told = orjson.loads(told)
        return status, told.get("response") or told["error"]["errorMessage"]

    def ask(self, *arguments, **options):
        return asyncio.run(self.asks(*arguments, **options))

    def subscribe(self, **change):
        status, said = self.ask("/subscriptions", {"profile": PROFILE | change})
        assert status == 200, said
        return said["subscription"]

    def alerts(self, who="pablo"):
        return self.ask("/alerts", who=who)[1]["alerts"]

    def log(self):
        return [json.loads(line) for line in (self.folder / "audit.jsonl").open()]


@pytest.fixture
def node(node_data, issuer, tokens, tmp_path):
    return Node(node_data, issuer, tokens, tmp_path)


def test_a_patient_like_that_raises_one_alert_without_a_record_in_it(node):
    subscription = node.subscribe()
    assert node.alerts() == []
    node.monitor.process(PATIENT)
    (alert,) = node.alerts()
    assert set(alert) == {"subscription", "node", "time", "token"}
    assert (alert["subscription"], alert["node"]) == (subscription, "FI")
    assert "FI-A1" not in json.dumps(alert)
    assert find_person_of_alert(node.folder, alert["token"]) == "FI-A1"


@pytest.mark.parametrize(
    "change",
    [
        {"terms": frozenset({MILD})},
        {"terms": frozenset()},
        {"sex": "female"},
        {"sex": None},
        {"age": 41},
        {"age": 17},
        {"age": None},
        {"variants": frozenset()},
        {"variants": frozenset({COMMON})},  # in the gene, but frequent at this node
        {"variants": frozenset({Variant("chr17", 12_886_152, "C", "T")})},
    ],
)
def test_another_patient_raises_none(node, change):
    node.subscribe()
    assert node.monitor.process(replace(PATIENT, **change)) == []
    assert node.alerts() == []


def test_more_special_terms_are_the_term_too(node):
    node.subscribe(terms=["ICD10:U07"])
    assert node.monitor.process(replace(PATIENT, terms=frozenset({"ICD10:U07.1"})))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"uses": None}, "consent: none on record"),
        ({"uses": ("DUO:0000006",)}, "consent: not for this purpose"),
        ({"withdrawn": True}, "consent: withdrawn"),
    ],
)
def test_consent_is_honoured_and_the_decision_logged(node, change, why):
    subscription = node.subscribe()
    node.monitor.process(replace(PATIENT, **change))
    assert node.alerts() == []
    line = next(one for one in node.log() if one["method"] == "ALERT")
    assert (line["subscription"], line["rule"]) == (subscription, f"withheld: {why}")
    assert "FI-A1" not in json.dumps(line)


def test_expired_visas_raise_no_alert(node):
    node.subscribe()
    node.start(clock=lambda: 1e11)
    assert node.monitor.process(PATIENT) == []
    assert node.log()[-1]["rule"] == "withheld: the subscriber's visas expired"


def test_a_veto_that_came_later_is_honoured(node):
    node.subscribe()
    node.start(vetoes=(Veto("not Spain", country="ES"),))
    assert node.monitor.process(PATIENT) == []
    assert node.log()[-1]["rule"] == "withheld: no right to records any more"


def test_an_issuer_that_is_not_believed_any_more_counts_no_longer(node):
    node.subscribe()
    node.start(issuers=())
    assert node.monitor.process(PATIENT) == []
    assert node.log()[-1]["rule"] == "withheld: issuer or role: not believed any more"


def test_an_alert_comes_once_however_often_somebody_is_admitted(node):
    node.subscribe()
    assert len(node.monitor.process(PATIENT)) == 1
    assert node.monitor.process(PATIENT) == []
    node.start()  # and after a restart
    assert node.monitor.process(PATIENT) == []
    assert len(node.alerts()) == 1


def test_an_acknowledged_alert_does_not_come_again(node):
    node.subscribe()
    node.monitor.process(PATIENT)
    (alert,) = node.alerts()
    acknowledge = {"tokens": [alert["token"], "nonsense"]}
    assert node.ask("/alerts/acknowledged", acknowledge, "other")[1] == {"acknowledged": 0}
    assert node.ask("/alerts/acknowledged", acknowledge)[1] == {"acknowledged": 1}
    assert node.alerts() == []
    assert node.monitor.process(PATIENT) == []


def test_subscriptions_and_alerts_outlive_the_process(node):
    subscription = node.subscribe()
    node.start()
    _, said = node.ask("/subscriptions")
    assert [one["subscription"] for one in said["subscriptions"]] == [subscription]
    node.monitor.process(PATIENT)
    before = node.alerts()
    node.start()
    assert node.alerts() == before
    stored = sqlite3.connect(node.folder / FILE_NAME).execute("SELECT caller FROM subscriptions")
    assert "eyJ" not in stored.fetchone()[0]  # visas as data, not a token that could be shown


def test_the_same_subscription_twice_is_one(node):
    assert node.subscribe() == node.subscribe(terms=[SEVERE, SEVERE])
    node.monitor.process(PATIENT)
    assert len(node.alerts()) == 1


def test_alerts_are_the_subscribers_own(node):
    node.subscribe()
    node.monitor.process(PATIENT)
    assert node.alerts("other") == []
    assert node.ask("/alerts", who=None)[0] == 401


def test_who_unsubscribed_is_told_nothing_any_more(node):
    subscription = node.subscribe()
    path = f"/subscriptions/{subscription}"
    assert node.ask(path, who="other", method="DELETE")[0] == 404
    assert node.ask(path, method="DELETE")[0] == 200
    assert node.monitor.process(PATIENT) == []
    assert node.alerts() == []


def test_a_subscription_takes_the_right_to_records(node):
    for who, status in (("registered", 403), (None, 401)):
        assert node.ask("/subscriptions", {"profile": PROFILE}, who, purpose=None)[0] == status


def test_waiting_ends_when_somebody_arrives(node):
    node.subscribe()

    async def wait_and_admit():
        waiting = asyncio.ensure_future(node.asks("/alerts", parameters="waitS=20"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        node.monitor.process(PATIENT)
        return await asyncio.wait_for(waiting, 5)

    status, said = asyncio.run(wait_and_admit())
    assert (status, len(said["alerts"])) == (200, 1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sex": "m"}, "profile.sex: one of female, male, not 'm'"),
        ({"age": {"from": 50, "to": 18}}, "profile.age: from at most to, not 50 and 18"),
        ({"age": 30}, "profile.age: an object, not 30"),
        ({"terms": ["severe"]}, "profile.terms[0]: a term like ICD10:I25.1, not 'severe'"),
        ({"gene": "ABC1"}, "geneId 'ABC1' is not in this node's table"),
        ({"maximumFrequency": None}, "profile: gene and maximumFrequency together"),
        ({"maximumFrequency": 2}, "profile.maximumFrequency: a number of at most 1"),
        ({"name": "Pablo"}, "profile: unknown 'name'; known are sex, age, terms, gene"),
    ],
)
def test_a_profile_that_is_not_understood_is_refused(node, change, complaint):
    status, said = node.ask("/subscriptions", {"profile": PROFILE | change})
    assert status == 400
    assert said.startswith(complaint), said


# --- admitting ---


def packet(**change):
    return {
        "id": "p1",
        "subject": {
            "id": "FI-A1",
            "sex": "MALE",
            "timeAtLastEncounter": {"age": {"iso8601duration": "P29Y"}},
        },
        "phenotypicFeatures": [
            {"type": {"id": SEVERE, "label": "severe"}},
            {"type": {"id": MILD, "label": "fever"}, "excluded": True},
        ],
        "interpretations": [
            {
                "diagnosis": {
                    "genomicInterpretations": [
                        {
                            "variantInterpretation": {
                                "variationDescriptor": {
                                    "vcfRecord": {
                                        "genomeAssembly": "GRCh38",
                                        "chrom": "X",
                                        "pos": "12886153",
                                        "ref": "C",
                                        "alt": "T",
                                    }
                                }
                            }
                        }
                    ]
                }
            }
        ],
        **change,
    }


@pytest.fixture
def phenopacket(tmp_path):
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(packet()))
    return path


def test_somebody_who_is_admitted_is_taken_and_alerts_are_raised(node, phenopacket):
    node.subscribe()
    waiting = import_patient(node.folder, phenopacket, consent=CARE)
    assert read_patient(waiting) == PATIENT
    node.monitor.process_folder()
    assert len(node.alerts()) == 1
    assert not waiting.exists()
    assert (node.folder / "arrivals" / "taken" / "FI-A1.json").exists()


def test_somebody_who_was_admitted_while_the_node_was_down_is_taken_later(node, phenopacket):
    node.subscribe()
    import_patient(node.folder, phenopacket, consent=CARE)
    node.start()
    node.monitor.process_folder()
    assert len(node.alerts()) == 1


def test_genotypes_may_come_as_vcf(node, phenopacket, tmp_path):
    phenopacket.write_text(json.dumps(packet(interpretations=[])))
    vcf = tmp_path / "patient.vcf"
    vcf.write_text(
        '##fileformat=VCFv4.3\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        "##contig=<ID=chrX,length=156040895>\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
        "chrX\t12886153\t.\tC\tG,T\t.\t.\t.\tGT\t2\n"
        "chrX\t12886160\t.\tC\tT\t.\t.\t.\tGT\t0\n"
    )
    assert read_patient(import_patient(node.folder, phenopacket, vcf)).variants == {TLR7}


def test_a_file_that_cannot_be_read_is_put_aside_with_the_reason(node, phenopacket):
    folder = node.folder / "arrivals"
    folder.mkdir()
    (folder / "A.json").write_text("{}")
    node.subscribe()
    import_patient(node.folder, phenopacket, consent=CARE)
    node.monitor.process_folder()
    assert "phenopacket" in (folder / "refused" / "A.json.reason").read_text()
    assert len(node.alerts()) == 1


@pytest.mark.parametrize(
    ("change", "consent", "complaint"),
    [
        ({"subject": {}}, None, "phenopacket: a phenopacket with subject.id"),
        ({"subject": {"id": "../../etc"}}, None, "subject.id: letters, digits"),
        ({"subject": {"id": "A", "timeAtLastEncounter": {"age": {"iso8601duration": "29"}}}}, None,
         "timeAtLastEncounter: an age like P27Y, not '29'"),
        ({}, "everything", "--consent: like DUO:0000042, not 'everything'"),
    ],
)  # fmt: skip
def test_somebody_who_cannot_be_meant_is_not_admitted(
    node, phenopacket, change, consent, complaint
):
    phenopacket.write_text(json.dumps(packet(**change)))
    with pytest.raises(InputError, match=complaint):
        import_patient(node.folder, phenopacket, consent=consent)
    assert not (node.folder / "arrivals").exists()
