"""Spellings that several streams share: gender and platform.

Belongs here: vocabularies that more than one contract uses. Others belong to their contract.
"""

from social_assets.contracts.column import Spellings

GENDER = Spellings(
    canonical={
        "Male": ("m", "man", "boy"),
        "Female": ("f", "w", "woman", "girl"),
        "Unknown": ("", "n/a", "na", "null", "none"),
    },
    otherwise="Other",
)

PLATFORM = Spellings(
    canonical={
        "Facebook": ("fb",),
        "Instagram": ("ig", "insta"),
        "LinkedIn": ("linked in",),
        "Pinterest": (),
        "Reddit": (),
        "Snapchat": ("snap",),
        "Threads": (),
        "TikTok": ("tik tok", "tik-tok"),
        "X": ("twitter", "x.com"),
        "YouTube": ("yt", "you tube"),
        "Unknown": ("", "n/a", "na", "null", "none"),
    },
    otherwise="Other",
)
