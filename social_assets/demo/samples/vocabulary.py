"""The words of the sample world: interests, and how people write about them.

Belongs here: only text and lists. `world` draws who likes what; `posts` makes posts from the words.
The order matters: the position of an entry is its number, so it is part of what a seed gives.
"""

from collections.abc import Mapping

TOPICS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "cooking": {
        "sourdough": ("a rye loaf", "our oldest starter", "an open crumb", "cold-proofed dough"),
        "ramen": ("a tonkotsu broth", "hand-cut noodles", "soft soy eggs", "a bowl of shōyu ramen"),
        "barbecue": ("smoked brisket", "ribs over oak", "a kettle grill", "a dry rub"),
        "pastry": ("laminated croissants", "a crème brûlée tart", "choux buns", "puff pastry"),
    },
    "travel": {
        "hiking": ("a ridge trail", "three huts in four days", "new boots", "the pass at dawn"),
        "citybreak": ("a weekend in Porto", "night trams", "old-town cafés", "a rooftop market"),
        "islands": ("the ferry to Naxos", "an empty cove", "snorkelling gear", "a village port"),
        "vanlife": ("our converted van", "a lakeside pitch", "solar on the roof", "a coast road"),
    },
    "fitness": {
        "running": ("a half marathon", "hill repeats", "carbon shoes", "a slow long run"),
        "lifting": ("a new squat record", "five by five", "deadlift grip", "a deload week"),
        "yoga": ("a morning flow", "hip openers", "a silent class", "breath work"),
        "cycling": ("a gravel loop", "the first alpine col", "a bike fit", "an indoor trainer"),
    },
    "music": {
        "vinyl": ("a first pressing", "a new cartridge", "crate digging", "a mono reissue"),
        "guitar": ("a fuzz pedal", "open tunings", "an old Telecaster", "fingerstyle"),
        "techno": ("a warehouse set", "a modular patch", "a six-hour mix", "a drum machine"),
        "opera": ("a new Tosca", "the standing places", "a final rehearsal", "the soprano"),
    },
    "film": {
        "horror": ("a slow-burn ghost story", "practical effects", "a midnight show", "a remake"),
        "anime": ("the season finale", "a hand-drawn feature", "the new arc", "the soundtrack"),
        "documentary": ("a film on the deep sea", "archive footage", "an interview", "a premiere"),
        "classics": (
            "a restored noir",
            "Kurosawa on 35 mm",
            "a silent comedy",
            "a Hitchcock",
        ),
    },
    "technology": {
        "homelab": ("a silent rack", "ten-gigabit at home", "a failed disk", "a backup plan"),
        "robotics": ("a balancing robot", "cheap servos", "a gripper", "a line follower"),
        "smartphones": ("a folding phone", "night mode", "battery health", "a repair at home"),
        "opensource": ("our first release", "a tricky merge", "a new maintainer", "a bug hunt"),
    },
    "fashion": {
        "sneakers": ("a retro runner", "a surprise drop", "fresh laces", "a collab pair"),
        "vintage": ("a seventies coat", "a market find", "worn denim", "a silk scarf"),
        "streetwear": ("a boxy hoodie", "layering for autumn", "cargo trousers", "a local label"),
        "tailoring": (
            "a half-canvas jacket",
            "a first fitting",
            "summer linen",
            "hand stitches",
        ),
    },
    "science": {
        "astronomy": ("Saturn through a Dobson", "a comet", "a dark-sky site", "a lunar eclipse"),
        "biology": ("tardigrades", "a mushroom key", "a CRISPR explainer", "pond water"),
        "physics": ("a double pendulum", "a cloud chamber", "entropy", "a muon detector"),
        "climate": ("sea-ice data", "heat pumps", "a wet-bulb record", "peat restoration"),
    },
    "football": {
        "premierleague": ("a late winner", "the table at matchday twelve", "a derby", "that save"),
        "transfers": ("a loan deal", "a release clause", "a medical", "deadline day"),
        "grassroots": ("our under-twelves", "a muddy pitch", "a new kit", "a penalty shoot-out"),
        "tactics": ("a false nine", "pressing traps", "set pieces", "a back three"),
    },
    "gaming": {
        "speedrun": ("a sub-hour run", "a new skip", "a frame-perfect jump", "a world record"),
        "indiegames": ("a cosy farm sim", "a tiny roguelike", "a pixel platformer", "a demo"),
        "strategy": ("a late-game war", "a tall empire", "a turn-four rush", "a hex map"),
        "retro": ("a CRT setup", "a boxed cartridge", "an arcade board", "a handheld mod"),
    },
    "photography": {
        "streetphoto": ("rain on neon", "a decisive moment", "zone focus", "the last tram"),
        "portrait": ("window light", "an 85 mm lens", "catchlights", "a quiet sitter"),
        "wildlife": ("a kingfisher", "a fox at dusk", "a hide at first light", "a long lens"),
        "analog": ("a roll of Tri-X", "a contact sheet", "the darkroom", "an old Rolleiflex"),
    },
    "gardening": {
        "tomatoes": ("San Marzano seedlings", "blight", "the first ripe one", "a tall trellis"),
        "bonsai": ("a juniper", "wiring a maple", "a shallow pot", "a winter pruning"),
        "wildflowers": ("a meadow strip", "poppy seed", "bees on clover", "a late mowing"),
        "houseplants": ("a monstera leaf", "root rot", "a north window", "a cutting in water"),
    },
}
"""Topic -> interest (also the tag of its posts) -> what such a post is about."""

OPENINGS = (
    "Finally:", "Today:", "Can't stop thinking about", "Some notes on", "Small win:", "Look:",
    "Three days with", "What nobody tells you about", "Unpopular opinion on", "A thread on",
    "Throwback to", "First try at", "Still learning:", "For everyone who asked about",
    "We need to talk about", "Sunday plan:",
)  # fmt: skip

REMARKS: Mapping[str, tuple[str, ...]] = {
    "cooking": ("the kitchen still smells of it", "recipe below", "less salt next time"),
    "travel": ("we stayed longer than planned", "map below", "go before the season starts"),
    "fitness": ("legs are done", "week four of the plan", "rest day tomorrow"),
    "music": ("headphones on", "played it twice in a row", "the low end is unreal"),
    "film": ("no spoilers please", "the last ten minutes!", "seen it on the big screen"),
    "technology": ("benchmarks below", "documentation helps", "it survived the weekend"),
    "fashion": ("fits true to size", "worn all week", "found it second-hand"),
    "science": ("paper linked below", "data is public", "the plot says it all"),
    "football": ("what a match", "numbers do not lie", "full time, full voice"),
    "gaming": ("clip below", "one more round", "no glitches used"),
    "photography": ("straight out of camera", "shot at f/2", "contact print below"),
    "gardening": ("ten days after sowing", "the snails agree", "water less, wait more"),
}

CLOSINGS = (
    "Thoughts?", "More soon.", "Save this for later.", "Who else?", "Link in bio.", "10/10.",
    'As they say: "practice".', "Ask me anything.", "😀", "Back to work.", "", "",
)  # fmt: skip

CATEGORIES: Mapping[str, str] = {
    "cooking": "Life Hacks",
    "travel": "Vlogs",
    "fitness": "Life Hacks",
    "music": "Entertainment",
    "film": "Entertainment",
    "technology": "Trends",
    "fashion": "Trends",
    "science": "ASMR",
    "football": "Jokes/Memes",
    "gaming": "Gaming",
    "photography": "Vlogs",
    "gardening": "Pranks",
}
"""The genre in which videos of a topic are filed."""

LIVE_EVENTS: Mapping[str, str] = {
    "cooking": "Q&A",
    "travel": "Q&A",
    "fitness": "Sports",
    "music": "Concert",
    "film": "Q&A",
    "technology": "Q&A",
    "fashion": "Q&A",
    "science": "Q&A",
    "football": "Sports",
    "gaming": "Gaming",
    "photography": "Q&A",
    "gardening": "Q&A",
}
"""What a live event of a topic is."""

PLATFORMS = ("Instagram", "TikTok", "YouTube", "X", "Facebook", "Reddit", "Threads", "LinkedIn")
MEDIA = ("image", "video", "text", "carousel", "link")
GENDERS = ("Male", "Female", "Other")
DEVICES = ("Smartphone", "Tablet", "Computer")
SYSTEMS = ("Android", "iOS", "Windows", "MacOS")
CONNECTIONS = ("Mobile Data", "Wi-Fi")
FREQUENCIES = ("Evening", "Night", "Afternoon", "Morning")
REASONS = ("Habit", "Boredom", "Entertainment", "Procrastination")
ACTIVITIES = ("At home", "At school", "At work", "Commuting")
LIVING = ("Rural", "Urban")
MEMBERSHIPS = ("Member", "Moderator")
COUNTRIES = (
    "India", "United States", "Brazil", "Indonesia", "Philippines", "Pakistan", "Mexico", "Japan",
    "Vietnam", "Germany", "United Kingdom", "France", "Nigeria", "Turkey", "Korea", "Italy",
    "Spain", "Colombia", "Poland", "Egypt", "Canada", "Kenya", "Côte d'Ivoire", "Réunion",
    "Svalbard & Jan Mayen Islands", "Palestinian Territory", "Congo, Democratic Republic of the",
)  # fmt: skip
PROFESSIONS = (
    "Students", "Waiting staff", "Labor/Worker", "driver", "Engineer", "Cashier", "Manager",
    "Artist", "Teacher", "Barrister", "Radio producer", "Local government officer",
    "Therapist, occupational", "Exhibitions officer, museum/gallery", "Engineer, maintenance",
    "Editor, magazine features", "Psychiatric nurse", "Archivist", "Scientist, audiological",
    "Chief Marketing Officer",
)  # fmt: skip
