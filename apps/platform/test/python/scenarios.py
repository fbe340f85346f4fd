"""What IVCAP's Python client does with the server. Called with a scenario's name and its arguments; prints JSON."""

import io
import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path

from ivcap_client import IVCAP
from ivcap_client.artifact import TarMember

ivcap = IVCAP()  # from the environment


def tell(artifact):
    return {
        "id": artifact.id,
        "status": str(artifact.status.value if hasattr(artifact.status, "value") else artifact.status),
        "name": artifact.name,
        "size": artifact.size,
        "type": artifact.mime_type,
        "policy": artifact.policy,
    }


def upload_file(path, **kwargs):
    a = ivcap.upload_artifact(name="Grüße 🐠.csv", file_path=path, **kwargs)
    again = ivcap.upload_artifact(name="ignored", file_path=path)
    sidecar = Path(path).with_name(f".ivcap-{Path(path).name}.txt")
    return {**tell(a), "again": again.id, "sidecar": sidecar.read_text()}


def upload_labelled(path, collection, policy):
    ivcap.create_collection(collection, "Reef")
    a = ivcap.upload_artifact(file_path=path, collection=collection, policy=policy)
    return {**tell(a), "items": [i.item for i in ivcap.get_collection(collection).items()]}


def run_service(path):
    a = ivcap.upload_artifact(name="words.txt", file_path=path, content_type="text/plain")
    service = ivcap.get_service_by_name("shout")
    takes = {n: [str(p.type.value), p.is_optional] for n, p in service.parameters.items()}
    job = service.request_job(io.StringIO(json.dumps({"text": a.id, "times": 2})))
    while not job.finished:
        time.sleep(0.02)
    quick = ivcap.get_service_by_name("fail").request_job(io.StringIO("{}"), timeout=5)
    output = ivcap.get_artifact(job.result["output"])
    return {
        "services": [s.name for s in ivcap.list_services(limit=3)],
        "takes": takes,
        "succeeded": job.succeeded,
        "letters": job.result["letters"],
        "failed": quick.finished and not quick.succeeded,
        "output": output.open().read().decode(),
    }


def upload_chunks(path):
    a = ivcap.upload_artifact(
        file_path=path, chunk_size=256 * 1024, retries=5, retry_delay=0, force_upload=True
    )
    return tell(a)


def upload_stream(text, size):
    stream = io.BytesIO(text.encode())
    return tell(ivcap.upload_artifact(io_stream=stream, content_type="text/plain", content_size=int(size)))


def upload_tar(count):
    members = [TarMember.from_bytes(bytes([i % 251]) * 10_000, f"f{i}") for i in range(int(count))]
    a = ivcap.upload_tar_artifact(members, name="all.tar.gz", chunk_size=4096)
    a = ivcap.get_artifact(a.id)
    dest = a.untar(Path(os.environ["SCRATCH"]) / "untarred")
    return {**tell(a), "members": sorted(p.name for p in dest.iterdir())}


def download(id, path):
    a = ivcap.get_artifact(id)
    told = []
    a.as_local_file(path, progress_callback=lambda done, total: told.append([done, total]))
    with a.as_local_file() as temp:
        temp_size = temp.stat().st_size
    with a.open() as f:
        opened = len(f.read())
    streamed = sum(len(chunk) for chunk in a.as_stream(chunk_size=1000))
    return {"last": told[-1] if told else None, "temp": temp_size, "opened": opened, "streamed": streamed}


def list_artifacts(*limits):
    return [[a.id for a in ivcap.list_artifacts(limit=limit)] for limit in map(number, limits)]


def metadata(id):
    a = ivcap.get_artifact(id)
    a.add_metadata({"$schema": "urn:example:schema:tag.1", "tags": ["coral"]})
    return sorted(m.schema for m in a.metadata)


def aspects(entity):
    schema = "urn:example:schema:depth.1"
    first = ivcap.add_aspect(entity, {"$schema": schema, "depth": 1, "ü": "珊瑚"})
    first.refresh()
    second = ivcap.update_aspect(entity, {"$schema": schema, "depth": 2})
    second.refresh()
    current = list(ivcap.list_aspects(entity=entity, schema="urn:example:schema:%"))
    earlier = list(ivcap.list_aspects(entity=entity, at_time=datetime.fromisoformat(str(first.valid_from))))
    second.retract()
    after = list(ivcap.list_aspects(entity=entity))
    return {
        "content": first.content,
        "asserter": first.asserter,
        "current": [a.content for a in current],
        "earlier": [a.content for a in earlier],
        "after": len(after),
        "closed": second.valid_to is not None,
    }


def list_aspects(entity, *limits):
    lists = [ivcap.list_aspects(entity=entity, limit=n, order_direction="ASC") for n in map(number, limits)]
    return [[a.content["n"] for a in aspects] for aspects in lists]


def collections(urn, count):
    created = ivcap.create_collection(urn, "Reef", description="of 2026")
    ivcap.create_collection(urn, "Reef 7", description="of 2026")
    added = [ivcap.add_to_collection(urn, f"urn:ivcap:artifact:{i}") for i in range(int(count))]
    collection = ivcap.get_collection(urn)
    listed = [i.item for i in collection.items(limit=None)]
    return {
        "created": created.name,
        "name": collection.name,
        "description": collection.description,
        "added": len([a for a in added if a is not None]),
        "items": len(set(listed)),
        "collections": [c.name for c in ivcap.list_collections()],
        "retracted": ivcap.retract_collection(urn),
        "left": len(list(ivcap.list_aspects(entity=urn))),
    }


def collection_queries(urn, item):
    """Those parts of collections that ask by content path."""
    ivcap.create_collection(urn, "Reef")
    ivcap.create_collection(f"{urn}-8", "Deep reef")

    def named(name_filter):
        return [c.name for c in ivcap.list_collections(name_filter=name_filter)]

    return {
        "added": [ivcap.add_to_collection(urn, item) is not None for _ in range(2)],
        "other": ivcap.add_to_collection(urn, f"{item}y") is not None,
        "starts": named('starts with "Re"'),
        "equals": named('== "Deep reef"'),
        "like": named('like_regex ".*REEF.*" flag "i"'),
        "wrong": attempt(lambda: named('= "Reef"')),
        "removed": [ivcap.remove_from_collection(urn, item) for _ in range(2)],
        "left": [i.item for i in ivcap.get_collection(urn).items()],
    }


def content_paths(entity):
    for n in range(60):
        images = [{"size": n * 1000}, {"size": 0}]
        ivcap.add_aspect(entity, {"$schema": "urn:example:schema:n.1", "n": n, "images": images})

    def found(path):
        aspects = ivcap.list_aspects(entity=entity, content_path=path, limit=None, order_direction="ASC")
        return [a.content["n"] for a in aspects]

    return {
        "large": found("$.images[*] ? (@.size > 10000)"),
        "none": found('$.images ? (@.size starts with "1")'),
        "wrong": attempt(lambda: found("$.images[")),
        "left out": attempt(lambda: found("$.n ? (@ > $least)")),
    }


def failures(artifact):
    return [
        attempt(lambda: ivcap.get_artifact(artifact)),
        attempt(lambda: ivcap.list_artifacts(filter="name ~~ 'x'")),
        attempt(lambda: ivcap.list_artifacts(order_by="colour")),
        attempt(lambda: ivcap.search("a(X).")),
    ]


def number(text):
    return None if text == "all" else int(text)


def attempt(call):
    try:
        return call()
    except Exception as e:  # told, with its type
        return {"error": type(e).__name__, "status": getattr(e, "status_code", None)}


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
