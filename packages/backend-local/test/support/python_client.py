"""What IVCAP's Python client does with a folder in local mode: `python_client.py write|read <folder>`, JSON on stdout."""

import io
import json
import sys

from ivcap_client import IVCAP

REEF = "urn:example:reef:1"


def write(ivcap):
    artifact = ivcap.upload_artifact(name="reef/counts.csv", io_stream=io.BytesIO(b"site,count\nA,3\n"))
    added = ivcap.add_aspect(REEF, {"tags": ["coral", "é"]}, schema="urn:example:schema:tag.1")
    about = ivcap.add_aspect(artifact.id, {"$schema": "urn:example:schema:note.1", "rows": 1})
    return {"artifact": artifact.id, "added": added.id, "about": about.id}


def read(ivcap, *ids):
    aspects = [
        {"id": a.id, "entity": a.entity, "schema": a.schema, "content": a.content, "from": a.valid_from.isoformat()}
        for a in ivcap.list_aspects(limit=None)
    ]
    artifacts = []
    for artifact_id in ids:
        artifact = ivcap.get_artifact(artifact_id)
        with artifact.as_local_file() as path:
            content = path.read_text()
        artifacts.append({"id": artifact.id, "name": artifact.name, "size": artifact.size, "content": content})
    return {"aspects": aspects, "artifacts": artifacts, "one": ivcap.get_aspect(aspects[0]["id"]).content}


command, folder, *rest = sys.argv[1:]
print(json.dumps({"write": write, "read": read}[command](IVCAP.local(base_dir=folder), *rest)))
