"""Sports, charity, games and other community events."""

from amarevents.demo.specs import EventSpec, FieldSpec, TypeSpec
from amarevents.models.enums import Category, FieldType

_SHIRT = FieldSpec(
    name="Jersey size",
    type=FieldType.DROPDOWN,
    options=("S", "M", "L", "XL"),
    required=True,
)
_BLOOD = FieldSpec(
    name="Blood group",
    type=FieldType.DROPDOWN,
    options=("A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-"),
    required=True,
)
_EMERGENCY = FieldSpec(name="Emergency contact", samples=("0170000####", "0180000####"), required=True)

COMMUNITY = (
    EventSpec(
        organization="rupsha",
        name="Rupsha River Run 10K",
        category=Category.SPORTS,
        day=38,
        deadline=28,
        location="Rupsha Bridge, Khulna",
        description=(
            "Ten kilometres along the embankment at sunrise, with water every two kilometres. Walkers are welcome, "
            "and every finisher gets a medal."
        ),
        notice="Collect your bib at the club gate from 5 am.",
        emailtitle="{event}: your bib is waiting",
        emailmessage="Dear {name}, we start at 6 am on {date} at {location}. Jersey: {Jersey size}. Ticket {id}.",
        socials=("website",),
        types=(
            TypeSpec(name="Runner", price=450, capacity=250, held=14),
            TypeSpec(name="Walker", price=250, capacity=100, held=6),
        ),
        fields=(_SHIRT, _EMERGENCY),
        gallery=("Start", "Sunrise at kilometre three", "Medals"),
    ),
    EventSpec(
        organization="rupsha",
        name="Under-16 Football Trials",
        category=Category.SPORTS,
        day=11,
        location="Club Ground, Khalishpur, Khulna",
        description="Two afternoons of trials for the youth side. Boots can be borrowed from the club.",
        types=(TypeSpec(name="Player", capacity=44, held=8),),
        fields=(
            FieldSpec(
                name="Date of birth",
                type=FieldType.DATE,
                samples=("2011-03-1#", "2012-07-1#", "2013-10-2#"),
            ),
        ),
    ),
    EventSpec(
        organization="rupsha",
        name="কাবাডি প্রীতি টুর্নামেন্ট",
        category=Category.SPORTS,
        day=-8,
        location="ক্লাব মাঠ, খালিশপুর, খুলনা",
        description="আট দলের একদিনের কাবাডি প্রতিযোগিতা। বিজয়ী দলের জন্য ট্রফি, সবার জন্য খিচুড়ি।",
        types=(TypeSpec(name="Team place", price=300, capacity=28, held=26),),
        gallery=("ফাইনাল",),
    ),
    EventSpec(
        organization="rupsha",
        name="Club Members' General Meeting",
        category=Category.OTHER,
        day=29,
        location="Club House, Khalishpur, Khulna",
        description="Annual report, committee election and a vote on the new floodlights.",
        private=True,
        held=5,
    ),
    EventSpec(
        organization="kashphool",
        name="Warm Hands: Winter Clothing Drive",
        category=Category.CHARITY,
        day=21,
        location="Kashphool House, Sonadanga, Khulna",
        description=(
            "Help us sort, wash and pack blankets and jackets for families by the river. Come for an hour or all day; "
            "lunch is on us."
        ),
        notice="Bring clothes in a bag with your name on it.",
        socials=("website", "newsletter"),
        types=(TypeSpec(name="Volunteer", capacity=50, held=10),),
        fields=(
            FieldSpec(name="Shift", type=FieldType.RADIO, options=("Morning", "Afternoon"), required=True),
            FieldSpec(
                name="What can you bring?",
                type=FieldType.TEXTAREA,
                samples=("Two blankets", "শীতের কাপড়", "A van"),
            ),
        ),
        gallery=("Packing", "By the river"),
    ),
    EventSpec(
        organization="kashphool",
        name="Charity Dinner by Lantern Light",
        category=Category.CHARITY,
        day=83,
        deadline=75,
        location="Horin Bagan, Khulna",
        description="A seated dinner in the garden; the proceeds keep the second boat school afloat for a year.",
        emailtitle="Thank you, {name}",
        emailmessage="Your {price} taka will fund a week of school. See you on {date} at {location}. Meal: {Meal}.",
        types=(
            TypeSpec(name="Single seat", price=2500, capacity=60, held=5),
            TypeSpec(name="Table of six", price=13500, capacity=8, held=2),
        ),
        fields=(
            FieldSpec(name="Meal", type=FieldType.RADIO, options=("Fish", "Chicken", "Vegetarian"), required=True),
        ),
    ),
    EventSpec(
        organization="kashphool",
        name="রক্তদান কর্মসূচি",
        category=Category.CHARITY,
        day=-16,
        location="Kashphool House, Sonadanga, Khulna",
        description="স্বেচ্ছায় রক্তদান করুন, জীবন বাঁচান। চিকিৎসকের উপস্থিতিতে সকাল নয়টা থেকে বিকেল চারটা পর্যন্ত।",
        types=(TypeSpec(name="রক্তদাতা", held=12),),
        fields=(_BLOOD,),
    ),
    EventSpec(
        organization="campusgames",
        name="Barendra Chess Open",
        category=Category.GAMES,
        day=52,
        deadline=50,
        location="Student Centre, Rajshahi",
        description="Seven rounds over a weekend, with fifteen minutes per player. Boards and clocks are provided.",
        types=(
            TypeSpec(name="Player", price=150, capacity=64, held=7),
            TypeSpec(name="Spectator", held=5),
        ),
        fields=(
            FieldSpec(name="Rating", type=FieldType.NUMBER, samples=("0", "12##", "14##", "17##")),
            FieldSpec(name="Club", samples=("None", "Rajshahi Rooks", "Padma Pawns")),
        ),
    ),
    EventSpec(
        organization="campusgames",
        name="LAN Night: Rickshaw Rally Cup",
        category=Category.GAMES,
        day=-2,
        location="Computer Lab 3, Rajshahi",
        description="Teams of three race through a pixel Old Dhaka until one rickshaw is left. Tea and muri all night.",
        types=(TypeSpec(name="Racer", price=100, capacity=24, held=9),),
    ),
    EventSpec(
        organization="campusgames",
        name="Carrom and Ludo Evening",
        category=Category.GAMES,
        day=4,
        location="Student Centre, Rajshahi",
        description="ক্যারম, লুডু আর চায়ের আড্ডা। A board on every table and no entry fee. Losers sweep the room!",
        types=(TypeSpec(name="Player", capacity=40, held=5),),
    ),
    EventSpec(
        organization="campusgames",
        name="Puzzle Hunt across the City",
        category=Category.GAMES,
        day=178,
        location="Rajshahi",
        description="Twelve clues, six hours, one river. Teams of two to four; bicycles allowed.",
        types=(TypeSpec(name="Team member", price=80, capacity=100, held=2),),
    ),
    EventSpec(
        organization="uttarpadma",
        name="Alumni Tea and Adda",
        category=Category.OTHER,
        day=None,
        location="ক্যাম্পাস চত্বর, রাজশাহী",
        description="পুরোনো বন্ধুদের সঙ্গে এক বিকেল চা আর আড্ডা। We will set a date once thirty people have signed up.",
        held=6,
    ),
)
