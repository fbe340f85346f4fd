"""Uploads a file with IVCAP's Python client; prints the milliseconds and the peak of memory as JSON."""

import json
import resource
import sys
import time

from ivcap_client import IVCAP

ivcap = IVCAP()  # from the environment
start = time.perf_counter()
ivcap.upload_artifact(name="copy.bin", file_path=sys.argv[1], force_upload=True)
ms = (time.perf_counter() - start) * 1000
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ms": ms, "counts": {"MiB peak memory": peak}}))
