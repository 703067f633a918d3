"""Report something in the demo city and see who answers for it: python3 docs/examples/first_report.py

Needs nothing but Python and a running `make up`. Reads .grid/demo.json for the address, an officer and a place.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any


def call(method: str, url: str, body: object = None, token: str | None = None) -> Any:
    """One request; its JSON answer. A refusal ends the program with the service's own words."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 - the user's own URL
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the user's own URL
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        sys.exit(f"{refused.code}: {refused.read().decode()}")


def main() -> int:
    """Sign in, report, wait until routing has answered, print what became of it."""
    home = Path(os.environ.get("GRIDSVC_HOME", ".grid"))
    demo = json.loads((home / "demo.json").read_text(encoding="utf-8"))
    url = demo["url"]
    officer = next(user for user in demo["users"] if user["role"] == "officer")
    place = demo["sample_places"][0]
    signed_in = call("POST", f"{url}/api/v1/auth/login", {k: officer[k] for k in ("username", "password")})
    token = signed_in["access_token"]
    categories = call("GET", f"{url}/api/v1/categories", token=token)["items"]
    category = next(
        each
        for each in categories
        if each["handled_by"] == "officer"
        and each["files_itself"]
        and not any(attribute["required"] for attribute in each["attributes"])
    )
    said = {
        "category": category["ref"],
        "description": f"{category['name']} / {category['name_en']}",
        "location": {"lon": place["lon"], "lat": place["lat"], "datum": "wgs84", "accuracy_m": 5},
    }
    case = call("POST", f"{url}/api/v1/reports", said, token)["case"]
    print(f"case {case['number']} in cell {case['cell']}, {case['state']}")
    deadline = time.monotonic() + 10
    routing: list[Any] = []
    while not routing and time.monotonic() < deadline:
        routing = call("GET", f"{url}/api/v1/cases/{case['id']}/routing", token=token)["items"]
    if not routing:
        print("nobody was free: it waits in the pool, and the desk has heard")
        return 0
    print(json.dumps(routing[-1], ensure_ascii=False, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
