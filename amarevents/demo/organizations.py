"""The organizations of the demo and the donations to them and to the platform."""

from amarevents.demo.people import DEMO_ORGANIZER
from amarevents.demo.specs import DonationSpec, OrganizationSpec
from amarevents.models.enums import DonationStatus, PaymentMethod

_BKASH, _NAGAD, _ROCKET, _CARD, _OTHER = PaymentMethod
_PENDING, _VERIFIED, _REJECTED = DonationStatus

ORGANIZATIONS = (
    OrganizationSpec(
        key="jolchhobi",
        owner=DEMO_ORGANIZER,
        name="Jolchhobi Live",
        description=(
            "Concerts, folk nights and open-air festivals in Dhaka since 2014. We book new bands alongside old masters "
            "and keep the front rows affordable for students."
        ),
        domain="jolchhobi.example",
        notice="We verify payments between 10 am and 8 pm. Your place is reserved in the meantime.",
        wallets={_BKASH: "01700009001", _NAGAD: "01800009001", _ROCKET: "01900009001"},
    ),
    OrganizationSpec(
        key="uttarpadma",
        owner="mahbub.shopnil",
        name="Uttar Padma University Students' Forum",
        description=(
            "The student forum of Uttar Padma University, Rajshahi: debates, career days, film shows and the yearly "
            "campus fair. Run by volunteers from all faculties."
        ),
        domain="uttarpadma.example",
        notice="Please bring your student card. Guests are welcome at events marked as open.",
        eventcount=12,
        wallets={_BKASH: "01700009002", _NAGAD: "01600009002"},
    ),
    OrganizationSpec(
        key="campusgames",
        owner="mahbub.shopnil",
        name="Barendra Campus Gamers",
        description="Board games, chess and e-sports evenings for students all over Rajshahi. Beginners welcome.",
        domain="barendragamers.example",
        eventcount=5,
        wallets={_BKASH: "01700009003"},
    ),
    OrganizationSpec(
        key="kashphool",
        owner="rezwana.kakoli",
        name="Kashphool Shohay Foundation",
        description=(
            "A charity from Khulna that runs two river-boat schools and a winter clothing drive. Every taka given is "
            "accounted for in a yearly public report."
        ),
        domain="kashphool.example",
        notice="Receipts for donations are sent within three working days.",
        wallets={_BKASH: "01700009004", _NAGAD: "01500009004", _OTHER: "0001234500067"},
    ),
    OrganizationSpec(
        key="kornofuli",
        owner="tonmoy.barua",
        name="Kornofuli Code Circle",
        description=(
            "A community of programmers, designers and makers in Chattogram. We meet every month, teach for free where "
            "we can, and publish our slides and code."
        ),
        domain="kornofuli.example",
        wallets={_BKASH: "01700009005", _ROCKET: "01300009005"},
    ),
    OrganizationSpec(
        key="surmasur",
        owner="shipra.bhowmik",
        name="সুরমা সুর ও নৃত্য একাডেমি",
        description=(
            "সিলেটের একটি সাংস্কৃতিক একাডেমি। গান, নাচ, আবৃত্তি ও চিত্রাঙ্কনের নিয়মিত ক্লাস এবং বছরজুড়ে উৎসব। "
            "Classes and festivals of music, dance, recitation and drawing in Sylhet."
        ),
        domain="surmasur.example",
        wallets={_BKASH: "01700009006", _NAGAD: "01400009006"},
    ),
    OrganizationSpec(
        key="rupsha",
        owner="zahirul.pavel",
        name="Rupsha Riverside Sports Club",
        description=(
            "Football, kabaddi, cricket and running by the Rupsha. The club trains two hundred children each season "
            "and opens its tournaments to every neighbourhood of Khulna."
        ),
        domain="rupshasports.example",
        notice="Participants under 18 need a parent's signature.",
        wallets={_BKASH: "01700009007", _NAGAD: "01700009008"},
    ),
)

DONATIONS = (
    DonationSpec(organization="kashphool", amount=5000, type=_BKASH, status=_VERIFIED, day=-41, note="For the boat"),
    DonationSpec(organization="kashphool", amount=1200, type=_NAGAD, status=_VERIFIED, day=-36),
    DonationSpec(organization="kashphool", amount=500, type=_BKASH, status=_REJECTED, day=-33),
    DonationSpec(organization="kashphool", amount=25000, type=_OTHER, status=_VERIFIED, day=-28, note="কম্বলের জন্য"),
    DonationSpec(organization="kashphool", amount=300, type=_ROCKET, status=_VERIFIED, day=-24),
    DonationSpec(
        organization="kashphool", amount=2000, type=_CARD, status=_PENDING, day=-6, note="In my mother's name"
    ),
    DonationSpec(organization="kashphool", amount=750, type=_BKASH, status=_PENDING, day=-3),
    DonationSpec(organization="kashphool", amount=1000, type=_NAGAD, status=_PENDING, day=-1),
    DonationSpec(organization="jolchhobi", amount=1500, type=_BKASH, status=_VERIFIED, day=-22, note="For young bands"),
    DonationSpec(organization="jolchhobi", amount=600, type=_ROCKET, status=_PENDING, day=-4),
    DonationSpec(organization="jolchhobi", amount=400, type=_BKASH, status=_PENDING, day=-2, note="ছোট্ট সহযোগিতা"),
    DonationSpec(organization="jolchhobi", amount=100, type=_NAGAD, status=_REJECTED, day=-15),
    DonationSpec(organization="kornofuli", amount=3000, type=_BKASH, status=_VERIFIED, day=-19, note="For the lab"),
    DonationSpec(organization="kornofuli", amount=800, type=_ROCKET, status=_PENDING, day=-5),
    DonationSpec(
        organization="surmasur", amount=2500, type=_NAGAD, status=_VERIFIED, day=-17, note="হারমোনিয়াম কেনার জন্য"
    ),
    DonationSpec(organization="surmasur", amount=500, type=_BKASH, status=_REJECTED, day=-12),
    DonationSpec(organization="rupsha", amount=10000, type=_BKASH, status=_VERIFIED, day=-26, note="Forty footballs"),
    DonationSpec(organization="rupsha", amount=1500, type=_NAGAD, status=_PENDING, day=-7),
    DonationSpec(organization="uttarpadma", amount=700, type=_BKASH, status=_VERIFIED, day=-10),
    DonationSpec(organization=None, amount=1000, type=_BKASH, status=_VERIFIED, day=-30, note="Thank you for the site"),
    DonationSpec(organization=None, amount=200, type=_NAGAD, status=_VERIFIED, day=-20),
    DonationSpec(organization=None, amount=450, type=_CARD, status=_PENDING, day=-8),
    DonationSpec(organization=None, amount=50, type=_BKASH, status=_REJECTED, day=-9),
    DonationSpec(organization=None, amount=300, type=_BKASH, status=_PENDING, day=-1, note="শুভকামনা"),
)
