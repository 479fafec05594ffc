"""Concerts, cultural evenings and festivals."""

from amarevents.demo.specs import EventSpec, FieldSpec, TypeSpec
from amarevents.models.enums import Category, FieldType

_MEAL = FieldSpec(
    name="Dietary needs",
    type=FieldType.RADIO,
    options=("None", "Vegetarian", "No beef", "Diabetic"),
)
_SCARF = FieldSpec(
    name="পছন্দের রং",
    type=FieldType.DROPDOWN,
    options=("লাল", "সাদা", "হলুদ"),
    required=True,
)

STAGE = (
    EventSpec(
        organization="jolchhobi",
        name="Monsoon Strings: An Evening of Folk Fusion",
        category=Category.CONCERT,
        day=18,
        deadline=16,
        location="Meghmala Open-Air Stage, Dhanmondi, Dhaka",
        description=(
            "Three young bands play baul and bhatiali songs with violin, dotara and electric bass. Gates open at 5 pm "
            "and the music starts at 6. Food stalls on the lawn; bring an umbrella."
        ),
        notice="Please pay first, then register with the transaction ID.",
        emailtitle="Your place at {event}",
        emailmessage=(
            "Dear {name},\n\nYour registration {id} for {event} is confirmed. See you on {date} at {location}! "
            "Amount paid: {price} taka. Please show the QR code of your ticket at the gate.\n\nJolchhobi Live"
        ),
        template="<h1>{event}</h1><p>{name}</p><p>{date}, {location}</p><p>{id}</p>",
        socials=("website", "video"),
        types=(
            TypeSpec(name="Student", price=350, capacity=60, held=14, description="With a valid student card"),
            TypeSpec(name="Regular", price=700, capacity=150, held=16),
            TypeSpec(name="Front row", price=1800, capacity=12, held=12, description="Seated, with dinner"),
        ),
        hold_minutes=120,
        places_per_account=6,
        fields=(_MEAL,),
        gallery=("Sound check on the lawn", "The crowd last year", "Dotara and bass"),
    ),
    EventSpec(
        organization="jolchhobi",
        name="রবীন্দ্র সন্ধ্যা",
        category=Category.CULTURAL,
        day=33,
        deadline=32,
        location="শাপলা মিলনায়তন, সেগুনবাগিচা, ঢাকা",
        description=("গান, আবৃত্তি ও নৃত্যে রবীন্দ্রনাথের বর্ষা। তরুণ শিল্পীদের পরিবেশনায় দুই ঘণ্টার আয়োজন, বিরতিতে চা ও পিঠা।"),
        emailtitle="{event}: আপনার নিবন্ধন",
        emailmessage="প্রিয় {name}, {date} তারিখে {location}-এ আপনাকে আমন্ত্রণ। টিকিট নম্বর {id}, মূল্য {price} টাকা।",
        socials=("website",),
        types=(
            TypeSpec(name="সাধারণ আসন", price=300, capacity=120, held=10),
            TypeSpec(name="সম্মুখ সারি", price=800, capacity=20, held=4),
        ),
        gallery=("গত বছরের মঞ্চ", "মহড়া"),
    ),
    EventSpec(
        organization="jolchhobi",
        name="Brass & Dhol: New Year's Warm-up",
        category=Category.CONCERT,
        day=-12,
        location="Meghmala Open-Air Stage, Dhanmondi, Dhaka",
        description="A brass band from Old Dhaka meets eight dhol players. Standing only, so bring your dancing shoes.",
        socials=("website", "video"),
        types=(TypeSpec(name="Standing", price=400, capacity=80, held=19),),
        gallery=("Eight dhols", "Finale"),
    ),
    EventSpec(
        organization="jolchhobi",
        name="Rooftop Acoustic Session",
        category=Category.CONCERT,
        day=6,
        location="Batabi Rooftop, Banani, Dhaka",
        description="Two songwriters, one guitar and the evening breeze. For members and their friends.",
        private=True,
        types=(TypeSpec(name="Member", price=250, capacity=30, held=8),),
        fields=(_MEAL,),
    ),
    EventSpec(
        organization="jolchhobi",
        name="পহেলা বৈশাখ উৎসব",
        category=Category.FESTIVAL,
        day=None,
        location="রমনা এলাকা, ঢাকা",
        description=(
            "নতুন বছরকে বরণ করতে গান, মুখোশ আর পান্তা-ইলিশের সকাল। স্বেচ্ছাসেবক ও দর্শনার্থীদের নিবন্ধন চলছে; "
            "বিস্তারিত সময়সূচি পরে জানানো হবে।"
        ),
        notice="সকাল ছয়টায় শোভাযাত্রা শুরু হবে।",
        types=(TypeSpec(name="Visitor", held=7), TypeSpec(name="Volunteer", capacity=40, held=5)),
        fields=(_SCARF,),
        gallery=("মুখোশ তৈরির কর্মশালা",),
    ),
    EventSpec(
        organization="surmasur",
        name="বসন্ত নৃত্য উৎসব",
        category=Category.FESTIVAL,
        day=74,
        deadline=67,
        location="Surma Riverside Ground, Sylhet",
        description=(
            "মণিপুরি, কত্থক ও লোকনৃত্যের তিনটি দল একই মঞ্চে। সন্ধ্যায় নদীর পাড়ে প্রদীপ ভাসানো। "
            "An open-air dance festival by the Surma."
        ),
        socials=("website",),
        types=(
            TypeSpec(name="Day pass", price=150, capacity=200, held=8),
            TypeSpec(name="Children", capacity=80, held=5, description="Under 12, free of charge"),
        ),
        gallery=("Manipuri dancers", "প্রদীপ"),
    ),
    EventSpec(
        organization="surmasur",
        name="লোকগানের আসর",
        category=Category.CULTURAL,
        day=-20,
        location="একাডেমি প্রাঙ্গণ, জিন্দাবাজার, সিলেট",
        description="বাউল, ভাটিয়ালি ও ধামাইল গানের ঘরোয়া আসর। সবার জন্য উন্মুক্ত, আসন সীমিত।",
        types=(TypeSpec(name="আসন", capacity=35, held=13),),
    ),
    EventSpec(
        organization="surmasur",
        name="Children's Recitation and Drawing Day",
        category=Category.CULTURAL,
        day=27,
        deadline=20,
        location="Academy Courtyard, Zindabazar, Sylhet",
        description="Children from 6 to 14 recite, draw and listen. Every child goes home with a book.",
        emailtitle="{event}: we look forward to seeing you",
        emailmessage="Dear {name}, your child is in the group {Age group}. Please be at {location} by 9 am on {date}.",
        types=(TypeSpec(name="Child", price=50, capacity=60, held=7), TypeSpec(name="Parent", held=4)),
        fields=(
            FieldSpec(name="Age group", type=FieldType.DROPDOWN, options=("6-8", "9-11", "12-14"), required=True),
            FieldSpec(
                name="Poem or drawing",
                samples=("A poem of my own", "ছবি আঁকা: আমার গ্রাম", "A boat race, in crayon", "ছড়া"),
            ),
        ),
    ),
    EventSpec(
        organization="surmasur",
        name="Rehearsal Camp of the Academy Choir",
        category=None,
        day=48,
        location="Tilagarh Eco Cottage, Sylhet",
        description="A three-day rehearsal for choir members and their accompanists.",
        private=True,
        held=4,
    ),
    EventSpec(
        organization="uttarpadma",
        name="Campus Film Festival",
        category=Category.FESTIVAL,
        day=92,
        location="Central Auditorium, Uttar Padma University, Rajshahi",
        description=(
            "Forty short films by students from all over the country, over two days. Directors take questions after "
            "each block, and the audience votes for its favourite."
        ),
        socials=("website", "video"),
        types=(
            TypeSpec(name="Two-day pass", price=120, capacity=300, held=10),
            TypeSpec(name="Patron", price=1000, capacity=25, held=3, description="Supports the prize money"),
        ),
        gallery=("Audience vote", "Opening night"),
    ),
)
