"""Education, workshops and conferences."""

from amarevents.demo.specs import EventSpec, FieldSpec, TypeSpec
from amarevents.models.enums import Category, FieldType

_STUDENT_ID = FieldSpec(name="Student ID", samples=("21#####", "22#####", "23#####"), required=True)
_SHIRT = FieldSpec(
    name="T-shirt size",
    type=FieldType.DROPDOWN,
    options=("S", "M", "L", "XL", "XXL"),
    required=True,
)
_EXPERIENCE = FieldSpec(
    name="Years of experience",
    type=FieldType.NUMBER,
    samples=("0", "1", "2", "3", "5", "8"),
)

LEARNING = (
    EventSpec(
        organization="kornofuli",
        name="Port City Dev Conference",
        category=Category.CONFERENCE,
        day=45,
        deadline=38,
        location="Patenga Convention Hall, Chattogram",
        description=(
            "A day of talks on building software for slow networks, many languages and small budgets. Two tracks, "
            "twelve talks, and a long lunch to meet the people behind them."
        ),
        notice="The call for talks is closed. See our website for the programme.",
        emailtitle="{name}, you are registered for {event}",
        emailmessage=(
            "Hello {name},\n\nPlease bring ticket {id} to {location} on {date}. Your T-shirt size is "
            "{T-shirt size}, and you have paid {price} taka.\n\nKornofuli Code Circle"
        ),
        socials=("website", "forum", "video"),
        types=(
            TypeSpec(name="Student", price=500, capacity=80, held=9),
            TypeSpec(name="Professional", price=2200, capacity=120, held=11),
            TypeSpec(name="Remote", held=5, description="Live stream and recordings"),
        ),
        fields=(
            _SHIRT,
            _EXPERIENCE,
            FieldSpec(name="Company or university", samples=("Freelance", "Uttar Padma University", "Still at school")),
        ),
        gallery=("Main hall", "Hallway track", "Volunteers", "Lunch by the sea"),
    ),
    EventSpec(
        organization="kornofuli",
        name="Git and Open Source for Beginners",
        category=Category.WORKSHOP,
        day=9,
        deadline=7,
        location="Kornofuli Lab, Agrabad, Chattogram",
        description="Your first commit, your first merge, your first patch to a public project. Bring a laptop.",
        types=(TypeSpec(name="Seat", capacity=20, held=20),),
        fields=(_EXPERIENCE,),
    ),
    EventSpec(
        organization="kornofuli",
        name="Bangla Typography on the Web",
        category=Category.WORKSHOP,
        day=24,
        location="Kornofuli Lab, Agrabad, Chattogram",
        description=(
            "যুক্তাক্ষর থেকে লাইন-উচ্চতা পর্যন্ত: ওয়েবে বাংলা লেখা কীভাবে সুন্দর ও পাঠযোগ্য হয়। "
            "A hands-on day on fonts, conjuncts and line height for designers and developers."
        ),
        types=(TypeSpec(name="Seat with lunch", price=600, capacity=18, held=17),),
    ),
    EventSpec(
        organization="kornofuli",
        name="Monthly Meetup: Databases in Production",
        category=Category.EDUCATION,
        day=-5,
        location="Kornofuli Lab, Agrabad, Chattogram",
        description="Two war stories and one happy ending, followed by tea. Recordings will be published a week later.",
        socials=("forum",),
        held=8,
    ),
    EventSpec(
        organization="kornofuli",
        name="Organizers' Retreat",
        category=Category.OTHER,
        day=120,
        location="Foy's Lake Area, Chattogram",
        description="A weekend to plan next year's talks. By invitation only.",
        private=True,
        types=(TypeSpec(name="Room share", price=1500, capacity=14, held=5),),
    ),
    EventSpec(
        organization="uttarpadma",
        name="বইমেলা ও পাঠচক্র",
        category=Category.EDUCATION,
        day=14,
        location="কেন্দ্রীয় গ্রন্থাগার চত্বর, রাজশাহী",
        description=("পাঁচ দিনের ক্যাম্পাস বইমেলা: নতুন বই, পুরোনো বই অদলবদল, আর প্রতি বিকেলে পাঠচক্র। প্রবেশ সবার জন্য উন্মুক্ত।"),
        types=(TypeSpec(name="প্রবেশ", held=11), TypeSpec(name="Stall", price=1500, capacity=12, held=5)),
        gallery=("বইয়ের স্টল", "পাঠচক্র", "শিশু কর্নার"),
    ),
    EventSpec(
        organization="uttarpadma",
        name="Career Day: First Job, First Year",
        category=Category.EDUCATION,
        day=60,
        deadline=53,
        location="Senate Hall, Uttar Padma University, Rajshahi",
        description=(
            "Recent graduates share what they wish they had known. In the afternoon, get feedback on your CV and "
            "practise interviews."
        ),
        emailtitle="{event}: see you at {location}",
        emailmessage="Dear {name}, your seat is booked under student ID {Student ID}. Doors open at 9 am on {date}.",
        types=(TypeSpec(name="Student", capacity=150, held=11),),
        fields=(_STUDENT_ID,),
    ),
    EventSpec(
        organization="uttarpadma",
        name="Inter-University Debate Workshop",
        category=Category.WORKSHOP,
        day=-26,
        deadline=-30,
        location="Room 204, Arts Building, Uttar Padma University, Rajshahi",
        description="Two days on argument, rebuttal and keeping calm, with practice rounds in Bangla and English.",
        types=(TypeSpec(name="Debater", price=200, capacity=24, held=21), TypeSpec(name="Observer", held=4)),
        fields=(_STUDENT_ID, FieldSpec(name="Language", type=FieldType.RADIO, options=("বাংলা", "English"))),
    ),
    EventSpec(
        organization="uttarpadma",
        name="Student Research Conference",
        category=Category.CONFERENCE,
        day=150,
        deadline=110,
        location="Central Auditorium, Uttar Padma University, Rajshahi",
        description="Posters and ten-minute talks by undergraduates, from river ecology to machine translation.",
        types=(
            TypeSpec(name="Presenter", price=300, capacity=60, held=4),
            TypeSpec(name="Audience", held=5),
        ),
        fields=(
            FieldSpec(
                name="Title of your talk",
                type=FieldType.TEXTAREA,
                samples=("Sandbars of the Padma, counted from space", "চর অঞ্চলে সৌরবিদ্যুৎ", "Just here to listen"),
            ),
        ),
    ),
    EventSpec(
        organization="kashphool",
        name="Boat School Teachers' Training",
        category=Category.EDUCATION,
        day=None,
        deadline=40,
        location="Kashphool House, Sonadanga, Khulna",
        description="How to teach five grades in one cabin, for volunteers who will join our boats next year.",
        types=(TypeSpec(name="Trainee", capacity=16, held=4),),
    ),
)
