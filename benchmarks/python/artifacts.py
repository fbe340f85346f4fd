"""What IVCAP's Python client does with an artifact; prints the milliseconds and the peak of memory as JSON.

artifacts.py upload <path> | again <path>… | download <urn> <path> | local <folder> <path>

`again` uploads files that were uploaded before: their sidecars say so. `local` uploads to a folder.
"""

import json
import resource
import sys
import time

from ivcap_client import IVCAP

command, *args = sys.argv[1:]
ivcap = IVCAP.local(base_dir=args[0]) if command == "local" else IVCAP()  # from the environment


def upload(path):
    ivcap.upload_artifact(name="copy.bin", file_path=path, force_upload=True)


def again(*paths):
    for path in paths:
        ivcap.upload_artifact(file_path=path)


def download(urn, path):
    ivcap.get_artifact(urn).as_local_file(path)


def local(_, path):
    ivcap.upload_artifact(name="copy.bin", file_path=path)


start = time.perf_counter()
{"upload": upload, "again": again, "download": download, "local": local}[command](*args)
ms = (time.perf_counter() - start) * 1000
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ms": ms, "counts": {"MiB peak memory": peak}}))
