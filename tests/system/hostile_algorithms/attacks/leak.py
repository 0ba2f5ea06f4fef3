"""Hide the data in what leaves: by the numbers, the files around them, or the end of the run.

Each function is a channel. It puts the bits of the first byte of the data into a result that looks
like a harmless total.
"""

import io
import json
import sys
import time
import zipfile
from pathlib import Path

import numpy as np

BYTE = Path("/view/people.txt").read_bytes()[0]
BITS = [BYTE >> i & 1 for i in range(8)]
TOTAL = np.full(8, 1000.0)


def save(arrays, about=None, name="result", wrap=lambda content: content, **more):
    """Write a result as the airlock expects it, unless a channel changes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for key, one in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(one))
            file.writestr(
                zipfile.ZipInfo(f"{key}.npy", more.pop("time", (1980, 1, 1, 0, 0, 0))),
                content.getvalue(),
            )
        file.comment = more.pop("comment", b"")
    kinds = {"cases": "count", "names": "list"}
    said = {
        "people": 50,
        "additive": True,
        "arrays": {key: {"class": kinds.get(key, "sum")} for key in arrays},
        **(about or {}),
    }
    Path(f"outputs/{name}.npz").write_bytes(wrap(buffer.getvalue()))
    Path(f"outputs/{name}.json").write_text(json.dumps(said, **more))


def low_bits():
    words = TOTAL.view(np.int64) & ~1 | np.array(BITS)
    save({"total": words.view(np.float64)})


def not_a_number():
    words = np.int64(0x7FF8000000000000) | np.array(BITS)
    save({"total": words.view(np.float64)})


def sign_of_zero():
    save({"total": np.where(BITS, -0.0, 0.0)})


def text():
    save({"total": np.array([f"person {BYTE}"])})


def pickled():
    content = io.BytesIO()
    np.lib.format.write_array(content, np.array([{"byte": BYTE}], dtype=object), allow_pickle=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("total.npy", content.getvalue())
    save({"total": TOTAL}, wrap=lambda _: buffer.getvalue())


def array_name():
    save({"total": TOTAL, f"total_{BYTE}": TOTAL})


def file_name():
    save({"total": TOTAL})
    save({"total": TOTAL}, name=f"result_{BYTE}")


def comment():
    save({"total": TOTAL}, comment=b"%d" % BYTE)


def padding():
    save({"total": TOTAL}, wrap=lambda content: bytes([BYTE]) * 100 + content)


def time_of_file():
    save({"total": TOTAL}, time=(1980 + BYTE % 100, 1 + BYTE // 100, 1, 0, 0, 0))


def more_keys():
    save({"total": TOTAL}, {"note": BYTE})


def spaces():
    save({"total": TOTAL}, indent=BYTE)


def byte_order():
    save({"total": TOTAL.astype(">f8" if BITS[0] else "<f8")})


def one_person():
    save({"cases": np.array([BITS[2], 40])})


def rows():
    save({"total": np.arange(50.0) + BYTE})


def more_rows():
    save({"total": np.append(np.arange(50.0), 0.0) + BYTE})


def named_rows():
    save({"names": np.arange(50) + BYTE})


def real_names():
    save({"names": np.arange(7.0) + BYTE})


def sums_of_nobody():
    counts = {"cases": {"class": "count"}, "total": {"class": "sum", "counts": ["cases"]}}
    save({"cases": np.zeros(2, int), "total": np.array([BYTE, 1.0])}, {"arrays": counts})


def shape():
    save({"total": np.empty((BYTE << 40, 0))})


def length():
    save({"total": np.zeros(BYTE)})


def few_people():
    save({"total": np.array([float(BYTE)])}, {"people": 1})


def exit_code():
    save({"total": TOTAL})
    sys.exit(BYTE)


def words_of_error():
    save({"total": TOTAL})
    Path("outbox/error.json").write_text(json.dumps({"code": f"byte {BYTE}"}))
    sys.exit(1)


def output():
    print(f"byte {BYTE}")
    save({"total": TOTAL})


def too_much():
    save({"total": np.full(1 << 18, float(BYTE))})


def bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        content = io.BytesIO()
        np.lib.format.write_array(content, np.zeros(1 << 22))
        file.writestr("total.npy", content.getvalue())
    save({"total": TOTAL}, wrap=lambda _: buffer.getvalue())


def widened():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, cases=np.zeros(1 << 19, np.int8))
    save({"cases": [0]}, wrap=lambda _: buffer.getvalue())


def lying_counts():
    save({"cases": np.array([40, 50]), "total": np.array([float(BYTE), 1000.0])})


def mean_age():
    """The sum of ages of everybody in the view, a number that any node lets out."""
    ages = np.array(Path("/view/ages.txt").read_text().split(), dtype=float)
    save({"total": np.array([ages.sum()])}, {"people": len(ages)})


def duration():
    time.sleep(BITS[2] * 0.1)
    save({"total": TOTAL})


globals()[sys.argv[1]]()
