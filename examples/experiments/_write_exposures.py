"""Writes exposures as NDJSON, from lines `user variant` of `social-assets experiments assign`.

A service logs an exposure when it shows the variant. This example spreads them over three days.
"""

import json
import sys
from datetime import datetime, timedelta

experiment, day = sys.argv[1], datetime.fromisoformat(sys.argv[2])
for number, line in enumerate(sys.stdin):
    user, variant = line.split()
    if variant == "-":
        continue
    exposure = {
        "exposure_id": f"{experiment}/{user}",
        "exposed_at": (day + timedelta(seconds=number * 1_009 % (3 * 86_400))).isoformat() + "Z",
        "experiment": experiment,
        "variant": variant,
        "platform": "X",
        "user_id": user,
    }
    print(json.dumps(exposure))
