"""What IVCAP's Python client sees of a collection, what it then changes, and what it tells of that. Prints JSON."""

import json
import sys

from ivcap_client import IVCAP

ivcap = IVCAP()  # from the environment
urn, own = sys.argv[1:]


def tell(collection):
    items = [item.item for item in collection.items(limit=None)]
    return {"name": collection.name, "description": collection.description, "items": items}


found = [c.urn for c in ivcap.list_collections()]
before = tell(ivcap.get_collection(urn))

ivcap.create_collection(urn, "Renamed 🐠")
added = ivcap.add_to_collection(urn, "urn:example:by-python")

ivcap.create_collection(own, "Python's", description="made there")
for n in range(60):
    ivcap.add_to_collection(own, f"urn:example:site:{n}")

print(json.dumps({"found": found, "before": before, "added": added.item}))
