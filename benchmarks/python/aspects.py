"""What IVCAP's Python client does with the aspects of a folder; prints the milliseconds as JSON.

aspects.py <folder> add <count> | entity <urn> | schema <urn>
"""

import json
import sys
import time

from ivcap_client import IVCAP

folder, command, what = sys.argv[1:]
ivcap = IVCAP.local(base_dir=folder)


def add():
    for i in range(int(what)):
        ivcap.add_aspect(f"urn:example:sample:{i // 5}", {"$schema": f"urn:example:schema:kind.{i % 10}", "i": i})


def entity():
    assert len(list(ivcap.list_aspects(entity=what, limit=None))) == 5


def schema():
    assert len(list(ivcap.list_aspects(schema=what, limit=10))) == 10


start = time.perf_counter()
{"add": add, "entity": entity, "schema": schema}[command]()
print(json.dumps({"ms": (time.perf_counter() - start) * 1000}))
