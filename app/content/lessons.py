"""The lessons, as data: each has a text, a question to predict, a choice, the runs side by side, and what they show.

A lesson holds only settings; its runs are real. What an option with an `outcome` shows holds for each of three seeds:
`app.examples` records them, `tests/app/content/test_lessons.py` compares, `tests/slow/test_lessons.py` runs them again.
`static/lessons/` turns a lesson into a step that starts the runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nayer.config import Config

Measure = Literal[
    "accuracy", "label_accuracy", "named", "within", "across", "pool"
]  # as `run_state.seed_curves` has them
Question = Literal["accuracy", "label_accuracy", "within", "pool", "cosine"]  # of names: the mean over all pairs
Outcome = Literal["more", "less", "same"]
Changes = Mapping[str, object]  # of the preset `nayer`'s settings, by name

WORK = 100.0  # 10⁹ multiply-adds an arm: 35 rounds with digits, and two arms take half a minute on two cores
LARGER = 1000.0  # likewise with teachers of larger networks, whose multiply-adds are faster
TEACHER = "digits"  # the quickest


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose before the runs begin, and what comes of it."""

    label: str
    changes: Changes
    shows: str = "This is one run with one seed. The link below repeats it with three."  # or what three seeds showed
    outcome: Outcome | None = None  # the right answer to the lesson's question with each of three seeds, if recorded


@dataclass(frozen=True, slots=True)
class Choice:
    """The live control."""

    label: str
    options: tuple[Option, ...]
    arm: bool = True  # the option is one more arm; else it holds for all arms (and may name another teacher)
    chosen: int = 0


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question to answer before the runs: how the last arm compares with the first in one measure."""

    question: str
    measure: Question
    margin: float  # a smaller difference counts as none; shares from 0 to 1, Vendi scores as they are
    answers: Mapping[Outcome, str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One step: a paragraph, a question, a live control, a thing to notice."""

    title: str
    text: str
    notice: str
    choice: Choice
    predict: Prediction
    arms: tuple[tuple[str, Changes], ...] = ()  # (title, changes) of the arms that always run
    charts: tuple[Measure, ...] = ("accuracy", "label_accuracy")
    leads_on: str = "Take this comparison to the lab"  # the link that fills in the form there
    strip: bool = False  # whether one label can be sent through fresh noisy layers
    names: tuple[str, ...] = ()  # a lesson about names runs nothing: it shows their table
    teacher: str = TEACHER
    work: float = WORK  # of each arm, in 10⁹ multiply-adds
    prompt: str = field(default=Config().prompt)
    encoder: str = field(default=Config().encoder)


# All arms share these, so that a lesson is quick: half the preset's width and steps, and no second warm-up round.
SMALL: Changes = {"generator_width": 8, "warmup_rounds": 1, "student_steps": 40}

# Without rebuilds of the whole generator, which would re-draw the noisy layer as well.
_KEPT: Changes = {"generator_reset_every": 0, "warmup_generator_reset_every": 0}
_NOISE: Changes = {
    "latent": "none",
    "noisy_layer": False,
    "noisy_reset_every": 0,
    "redraw": "first layer",
    "z_size": 100,
}
_NAYER: tuple[str, Changes] = ("NAYER", {})
_ALL: tuple[Measure, ...] = ("accuracy", "label_accuracy", "within", "pool")

LESSONS = (
    Lesson(
        title="Why a student needs data",
        text=(
            "A teacher network is trained, and its images are gone. A student can still ask the teacher about any "
            "image, but it has no images. In the first run the student learns from the output of an untrained "
            "generator: patterns without meaning. In the second run the generator is trained until the teacher "
            "recognizes its classes in the images. Teacher, student and work are the same."
        ),
        notice=(
            "The label accuracy shows why: for the images of the untrained generator, the teacher predicts the wanted "
            "class no more often than by guessing. The dotted line shows guessing. Neither student learns from a real "
            "image. Real images serve only to measure."
        ),
        predict=Prediction(
            "How often is the student of the trained generator right on real images, compared with the other student?",
            "accuracy",
            0.1,
            {"more": "It is right more often.", "less": "It is right less often.", "same": "There is no difference."},
        ),
        choice=Choice(
            "Teacher",
            (
                Option(
                    "handwritten digits",
                    {"teacher": "digits"},
                    "With three seeds, the first student was right on 13 % to 19 % of the real images, which is near "
                    "guessing, and the second one on 84 % to 92 %.",
                    "more",
                ),
                Option("clothes", {"teacher": "fashion", "work": LARGER}),
                Option("ten emoji", {"teacher": "emoji10", "work": LARGER}),
            ),
            arm=False,
        ),
        arms=(
            (
                "untrained generator",
                {"generator_steps": 1, "generator_lr": 1e-6, "pool_from_round": 0, "generator_reset_every": 0},
            ),
            ("trained generator", {}),
        ),
    ),
    Lesson(
        title="What noise as input gives",
        text=(
            "A generator turns numbers into an image. Before NAYER the numbers were Gaussian noise z, as in a GAN. "
            "Noise contains no class. So there are two methods. In one, the generator learns which noise belongs to "
            "which class. In the other, the image has no wanted class, and the teacher's prediction is the label. "
            "NAYER uses embeddings of the class names as input, so the input already contains the label."
        ),
        notice=(
            "Each column is a wanted class. Accuracy alone does not show which method is better. Rounds with noise "
            "alone are cheaper, so the same work contains more rounds. On ten digits the student may then learn "
            "faster. The next lessons show how class names help."
        ),
        predict=Prediction(
            "The last run gets noise. For how many of its images does the teacher predict the wanted class, compared "
            "with NAYER?",
            "label_accuracy",
            0.05,
            {"more": "For more of them.", "less": "For fewer of them.", "same": "For about as many."},
        ),
        choice=Choice(
            "Compare NAYER with",
            (
                Option(
                    "noise, no wanted class",
                    {**_NOISE, "ce_target": "teacher"},
                    "The teacher's prediction is the label here, so columns have no meaning. The label accuracy is "
                    "near guessing, but the student still learns.",
                    "less",
                ),
                Option("noise, with a wanted class", _NOISE),
                Option("noise, new in each step", {**_NOISE, "z_redraw": "step"}),
                Option("noise added to the names", {"z_size": 384, "z_combine": "add"}),
            ),
        ),
        arms=(_NAYER,),
        charts=_ALL,
    ),
    Lesson(
        title="What a label-text embedding is",
        text=(
            "A language model turns a sentence with the class name into a list of numbers: the label-text embedding "
            "(LTE). Names with similar meanings lie close together. The table of embeddings is computed once and "
            "never changes. In front of the noisy layer a BatchNorm removes what all names have in common. Type "
            "your own names, or replace the embeddings by rows without meaning."
        ),
        notice=(
            "Before BatchNorm all pairs look alike, and dog is nearest to cat. After BatchNorm the names point almost "
            "evenly away from each other, as one-hot rows do. Little of their meaning is left. For ten classes, the "
            "generator needs about as many steps with embeddings as with one-hot rows. For a hundred, it needs twice "
            "as many."
        ),
        choice=Choice(
            "Table",
            (
                Option("label-text embeddings", {"latent": "lte"}),
                Option("one-hot rows", {"latent": "one-hot"}),
                Option("random numbers", {"latent": "random"}),
                Option("shuffled embeddings", {"latent": "shuffled"}),
            ),
        ),
        predict=Prediction(
            "BatchNorm removes what all names have in common. How alike are two names after it?",
            "cosine",
            0.05,
            {"more": "More alike than before.", "less": "Less alike than before.", "same": "As alike as before."},
        ),
        names=("dog", "cat", "fish", "apple", "banana", "airplane", "bicycle", "umbrella", "tree", "house"),
    ),
    Lesson(
        title="What the noisy layer adds",
        text=(
            "Ten names give ten points, and one point gives one image. Therefore a linear layer with random weights "
            "follows the table: the noisy layer Z. It is re-drawn each round. Then the same names get new outputs, "
            "and the generator must learn new images. The noisy layer is the only source of randomness. Once there "
            "are images, use the button below them to send one class through sixteen fresh layers."
        ),
        notice=(
            "With re-draws, the images of a class differ more. This has a cost: the teacher recognizes fewer of them, "
            "because a few steps are not enough to adapt the generator to a new layer. In such a short run, the "
            "student's accuracy does not show which setting is better."
        ),
        predict=Prediction(
            "The last run has fewer fresh layers. How many different images of a class does its pool hold?",
            "pool",
            0.2,
            {"more": "More of them.", "less": "Fewer of them.", "same": "About as many."},
        ),
        choice=Choice(
            "Compare a re-draw every round with",
            (
                Option(
                    "never",
                    {**_KEPT, "noisy_reset_every": 0},
                    "Without re-draws, the images of a class are more alike, in a round and over the pool, and the "
                    "teacher recognizes more of them.",
                    "less",
                ),
                Option("every 10 rounds", {**_KEPT, "noisy_reset_every": 10}),
                Option("every round, one layer for all", {**_KEPT, "routing": "single"}),
            ),
        ),
        arms=(("every round", _KEPT),),
        charts=_ALL,
        strip=True,
    ),
    Lesson(
        title="What BatchNorm statistics tell",
        text=(
            "The teacher keeps some information about its training images: each BatchNorm layer stores the mean μ and "
            "the variance σ² of its inputs. The BN loss pulls the statistics of the generated images toward these "
            "values. It does not describe a single image. It describes how a batch of real images looks inside the "
            "network."
        ),
        notice=(
            "The term describes a batch and not a single image. So it makes the images similar to real images only as "
            "a group, by their statistics inside the network."
        ),
        predict=Prediction(
            "The last run has another weight. How many different images of a class does its pool hold?",
            "pool",
            0.2,
            {"more": "More of them.", "less": "Fewer of them.", "same": "About as many."},
        ),
        choice=Choice(
            "Compare the usual weight of 10 with",
            (
                Option(
                    "0, without the term",
                    {"bn_weight": 0.0},
                    "Without the term, the generator finds a few patterns that the teacher accepts and repeats them: "
                    "the images of a class are more alike. The teacher recognizes more of them, but the student learns "
                    "less.",
                    "less",
                ),
                Option("1", {"bn_weight": 1.0}),
                Option("100, ten times too much", {"bn_weight": 100.0}),
            ),
        ),
        arms=(("weight 10", {"bn_weight": 10.0}),),
        charts=_ALL,
    ),
    Lesson(
        title="How the adversarial term helps",
        text=(
            "Images that the student already understands teach it nothing more. The adversarial term rewards images on "
            "which teacher and student differ. The generator finds the student's gaps, and the student closes them. By "
            "default the term counts only images for which both predict the same class, so the generator gains nothing "
            "from images on whose class they disagree."
        ),
        notice=(
            "The adversarial term and the cross-entropy term favor different images. In a short run the adversarial "
            "term may even reduce the accuracy: at the start, few gaps of the student are useful to find."
        ),
        predict=Prediction(
            "The last run has another weight. For how many of its images does the teacher predict the wanted class?",
            "label_accuracy",
            0.05,
            {"more": "For more of them.", "less": "For fewer of them.", "same": "For about as many."},
        ),
        choice=Choice(
            "Compare the usual weight of 1.33 with",
            (
                Option("0, without the term", {"adversarial_weight": 0.0}),
                Option("10", {"adversarial_weight": 10.0}),
                Option(
                    "10, wherever they differ",
                    {"adversarial_weight": 10.0, "adversarial_mask": "none"},
                    "The adversarial term outweighs the cross-entropy term: the label accuracy falls to guessing, and "
                    "the student learns less from images that lost their class.",
                    "less",
                ),
            ),
            chosen=2,
        ),
        arms=(("weight 1.33", {"adversarial_weight": 1.33}),),
        charts=("accuracy", "label_accuracy", "across", "pool"),
    ),
    Lesson(
        title="What the student learns",
        text=(
            "The student never gets a label. It gets the teacher's probabilities for each image, softened by a "
            "temperature τ, and minimizes the KL divergence from them. These probabilities contain more than the "
            "class: an image is a 7, but a little like a 1. Images stay in a pool and are used many times. Choose how "
            "many steps the student trains between two rounds, or the temperature."
        ),
        notice=(
            "The student needs both: new images and steps to learn from them. All arms have the same work. With fewer "
            "steps per round, an arm has more rounds. With more steps, it has fewer rounds. Click a point of a curve "
            "to see the images of that round."
        ),
        predict=Prediction(
            "The last run trains its student differently. How often is this student right on real images?",
            "accuracy",
            0.05,
            {"more": "It is right more often.", "less": "It is right less often.", "same": "About as often."},
        ),
        choice=Choice(
            "Compare 40 steps per round with",
            (
                Option(
                    "5 steps per round",
                    {"student_steps": 5},
                    "With five steps the student falls behind, although there are more rounds, and the teacher "
                    "recognizes few of the images.",
                    "less",
                ),
                Option("200 steps per round", {"student_steps": 200}),
                Option("40 steps, hard answers (τ = 1)", {"student_steps": 40, "temperature": 1.0}),
            ),
        ),
        arms=(("40 steps a round", {"student_steps": 40}),),
    ),
    Lesson(
        title="Where it fails",
        text=(
            "The method depends on what the teacher reveals, and on time. With many classes, each class needs its own "
            "images, so a hundred emoji take many more rounds than ten. Slow rounds mean fewer rounds. A small pool "
            "makes the student forget. The teacher may classify an image with confidence although a person recognizes "
            "nothing in it. Break the method yourself."
        ),
        notice=(
            "A run that looks broken may still work. The student copies all of the teacher's probabilities, so it also "
            "learns from images whose class no person can see. A high label accuracy proves little. Only the accuracy "
            "on real images is a fair measure, and a data-free method must not be tuned with it. The page measures it "
            "for you. Training never uses it."
        ),
        predict=Prediction(
            "One thing is broken in the last run. For how many of its images does the teacher predict the wanted "
            "class?",
            "label_accuracy",
            0.05,
            {"more": "For more of them.", "less": "For fewer of them.", "same": "For about as many."},
        ),
        choice=Choice(
            "Compare NAYER with",
            (
                Option("one noisy layer per image", {"routing": "1-to-1"}),
                Option(
                    "no cross-entropy term",
                    {"ce_weight": 0.0},
                    "Without the term, no loss asks for a class, and the label accuracy is near guessing. But "
                    "the student learns: with three seeds it was right on 74 % to 93 % of the real images. The student "
                    "of NAYER was right on 84 % to 92 %.",
                    "less",
                ),
                Option("a pool of 100 images", {"pool_capacity": 100}),
                Option("adversarial weight of 50", {"adversarial_weight": 50.0, "adversarial_mask": "none"}),
            ),
            chosen=1,
        ),
        arms=(_NAYER,),
        charts=_ALL,
        leads_on="Go on in the lab, with this comparison filled in",
    ),
)


def plan_of(lesson: Lesson, option: int) -> dict[str, Any]:
    """What the page starts with an option: teacher, work of each arm, and the arms as `start_lab` takes them."""
    choice = lesson.choice
    chosen = choice.options[option]
    changes = dict(chosen.changes)
    teacher, work = changes.pop("teacher", lesson.teacher), changes.pop("work", lesson.work)
    arms = [(title, own if choice.arm else {**own, **changes}) for title, own in lesson.arms]
    if choice.arm:
        arms.append((chosen.label, changes))
    return {
        "teacher": teacher,
        "work": work,
        "arms": [{"title": title, "settings": {**SMALL, **own}} for title, own in arms],
    }


def outcome(predict: Prediction, first: float, last: float) -> Outcome:
    """The answer that the measured values of the first and the last arm give."""
    if abs(last - first) < predict.margin:
        return "same"
    return "more" if last > first else "less"


def lessons_json() -> list[dict[str, Any]]:
    """The lessons as the page's script wants them."""
    return [
        asdict(lesson) | {"plans": [plan_of(lesson, option) for option in range(len(lesson.choice.options))]}
        for lesson in LESSONS
    ]
