"""The constants that the authors of each method published, for comparison with its full-size preset.

`published` is the number or word in the code that was read, and `places` says where. A constant that differs has a
reason. Differences that no setting can express are sentences. `make reference` writes `docs/fidelity.md` from this
table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FOR_BATCH = "the generator and the student use the same batch"
STEPS = "published: the rate is divided by 10 at set epochs; here it falls along a cosine"
NONE_HELD = "nothing is held back"
LONG_RUN = "a run has at most 100,000 rounds; published: 240,000"
EARLY = "in round 0 the generator has learned little"


@dataclass(frozen=True, slots=True)
class Constant:
    """One published value of a setting. `reason` says why the preset differs; it is empty if the preset agrees.

    `note` explains a value with which the preset agrees.
    """

    published: float | str | bool
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class PublishedMethod:
    """The published constants of one method, and the other differences."""

    preset: str
    where: str  # the code that was read, with its commit
    constants: dict[str, Constant | float | str | bool]  # by setting
    differs: tuple[str, ...] = ()  # differences that no setting can express
    done_right: tuple[str, ...] = ()  # faults of the published code that are not repeated
    read: str = ""  # how reliable the source is, if it was not the authors' own code
    # file:line in that code → the settings whose values stand there, separated by spaces
    places: dict[str, str] = field(default_factory=dict)

    def constant(self, setting: str) -> Constant:
        """The constant of a setting; a bare value is one without a reason."""
        value = self.constants[setting]
        return value if isinstance(value, Constant) else Constant(value)

    def place(self, setting: str) -> str:
        """Where the published value is: file:line. Empty if the published code has no such value."""
        return next((place for place, held in self.places.items() if setting in held.split()), "")


def _pool(images: str) -> Constant:
    """The published capacity of the pool, and the number of images that a whole published run makes."""
    return Constant("no bound", f"the published pool has no bound; a whole run makes {images} images")


_NOISE_ALONE: dict[str, Constant | float | str | bool] = {
    "latent": "none",
    "noisy_layer": False,
    "noisy_reset_every": 0,
    "redraw": Constant("none", "no layer is re-drawn: `noisy_reset_every` is 0"),
    "generator_reset_every": 0,
    "generator_width": 64,
    "generator_steps": 1,
    "generator_adam": "kept",
    "memory": "online",
    "keep": "last",
    "bn_momentum": 0.0,
    "adversarial_mask": "none",
    "warmup_rounds": 0,
    "pool_from_round": Constant("no pool", "without a pool it only decides when images are held back"),
    "held_back": Constant("none", NONE_HELD),
    "crop_share": 0.0,
    "flip": False,
}

_POOLED: dict[str, Constant | float | str | bool] = {
    "latent": "none",
    "noisy_layer": False,
    "redraw": Constant("none", "it acts only if `noisy_reset_every` is above 0"),
    "generator_width": 64,
    "z_redraw": "round",
    "generator_adam": "each round",
    "generator_beta1": 0.5,
    "memory": "pool",
    "keep": "best",
    "held_back": Constant("none", NONE_HELD),
    "temperature": 20.0,
}

_FROM_POOL = (
    "Images are sampled from the pool with replacement; published: epochs without replacement.",
    "The pixels in the pool are rounded to bytes; published: rounded down to bytes.",
)
_BIASES = "Our convolutions have biases; published: none before a BatchNorm, where they change nothing."
_LABELS = "A batch has whole sets of all classes and a random rest; published: each label is drawn independently."
_BY_EPOCH = "The learning rate falls along a cosine after each step; published: after each epoch."
_NEW_BN = "BatchNorm weights of a new generator are 1; published: N(1, 0.02²)."
_EVAL_STUDENT = "In the generator's loss the student is in eval mode; published: in train mode."
_EVAL_GENERATOR = "The student's images come from the generator in train mode; published: in eval mode."
_WIDE_FIRST = "The generator's first stage has 128 channels; published: 256."
_TANH = "The image head is NAYER's, with a sigmoid; published: tanh and a BatchNorm without weights."
_BEST_EPOCH = "The published accuracy is the best of all epochs on the test images; here it is that of the last round."

PUBLISHED = (
    PublishedMethod(
        "nayer-paper",
        "tmtuan1307/NAYER at c6bedcd, ResNet-34 → ResNet-18 on CIFAR-10 (its WRN pairs have the same constants)",
        {
            "rounds": Constant(400, note="20 warm-up epochs of 10 rounds and 100 epochs of 2; `--epochs` counts both"),
            "warmup_rounds": 200,
            "student_every": 2,
            "student_steps": 400,
            "student_batch": 512,
            "student_lr": 0.2,
            "evaluate_every": Constant("each epoch", "an epoch is two rounds"),
            "generator_width": 64,
            "generator_steps": 30,
            "generator_lr": 4e-3,
            "synthesis_batch": 400,
            "generator_reset_every": Constant("10 epochs", "10 epochs of 2 rounds are 20"),
            "warmup_generator_reset_every": Constant("10 epochs", "10 epochs of 10 rounds are 100"),
            "noisy_width": 1000,
            "ce_weight": 0.5,
            "bn_weight": 10.0,
            "bn_momentum": 0.9,
            "adversarial_weight": 1.33,
            "adversarial_mask": "agree",
            "pool_capacity": _pool("160,000"),
            "pool_from_round": Constant(0, EARLY),
            "held_back": Constant("none", NONE_HELD),
            "temperature": 20.0,
            "weight_decay": 1e-4,
            "student_lr_end": 2e-4,
            "encoder": Constant(
                "CLIP ViT-B/32", "its weights are not shipped; `--encoder openai/clip-vit-base-patch32` uses them"
            ),
            "prompt": Constant("a image of {}", "the shipped table is made with this prompt; `--prompt` changes it"),
        },
        (_BY_EPOCH, *_FROM_POOL, _BIASES),
        (
            _BEST_EPOCH,
            "In the generator's loss the student is in eval mode. The published student is in train mode from the "
            "second loop of each epoch on.",
            "The best batch has the lowest loss of its round. The published code compares it with the lowest loss of "
            "the earlier loops of the epoch, too.",
            "The published scripts ask for `--method nayer`, which the published parser (datafree_kd.py:32) refuses.",
            "Teachers without BatchNorm and gray images work here.",
        ),
        places={
            "scripts/nayer_100.sh:39": "rounds warmup_rounds student_batch student_lr synthesis_batch",
            "scripts/nayer_100.sh:40": "generator_lr",
            "scripts/nayer_100.sh:41": "generator_steps ce_weight bn_weight adversarial_weight student_every",
            "datafree/synthesis/nayer.py:154": "generator_reset_every warmup_generator_reset_every",
            "datafree/synthesis/nayer.py:198": "adversarial_mask",
            "datafree/synthesis/nayer.py:228": "pool_from_round",
            "datafree/utils/_utils.py:236": "pool_capacity",
            "datafree_kd.py:41": "bn_momentum",
            "datafree_kd.py:58": "noisy_width",
            "datafree_kd.py:71": "student_lr_end",
            "datafree_kd.py:73": "temperature",
            "datafree_kd.py:75": "student_steps",
            "datafree_kd.py:124": "weight_decay",
            "datafree_kd.py:289": "generator_width",
            "datafree_kd.py:404": "evaluate_every",
            "label_embedding/label_embedding.py:30": "prompt",
            "label_embedding/label_embedding.py:39": "encoder",
        },
    ),
    PublishedMethod(
        "dafl-paper",
        "huawei-noah/Efficient-Computing at 225ddd2, Data-Efficient-Model-Compression/DAFL, the README's command for "
        "CIFAR-10",
        {
            **_NOISE_ALONE,
            "rounds": Constant(240_000, LONG_RUN),
            "synthesis_batch": 1024,
            "z_size": 1000,
            "z_redraw": Constant("step", f"there is one generator step in each round, and {FOR_BATCH}"),
            "generator_lr": 0.02,
            "generator_beta1": Constant(0.9, note="Adam's default"),
            "ce_weight": 0.05,
            "ce_target": "teacher",
            "balance_weight": Constant(5.0, "published with log₁₀: 5 / ln 10 with the natural logarithm"),
            "activation_weight": 0.01,
            "bn_weight": 0.0,
            "adversarial_weight": 0.0,
            "student_steps": 1,
            "student_lr": 0.1,
            "student_lr_end": Constant("× 0.01 from 80 %", STEPS),
            "weight_decay": 5e-4,
            "temperature": 1.0,
        },
        (
            "The student's images are made after the generator's step, from the same noise; published: before it.",
            _TANH,
            "BatchNorm's ε in the generator is 10⁻⁵; published: 0.8 after two of its convolutions.",
        ),
        (_BEST_EPOCH, "The gradient of the balance term is not NaN if a class has probability 0."),
        places={
            "README.md:29": "rounds synthesis_batch z_size generator_lr ce_weight balance_weight activation_weight "
            "student_lr",
            "DAFL-train.py:59": "generator_width",
            "DAFL-train.py:140": "generator_beta1 generator_adam",
            "DAFL-train.py:142": "weight_decay",
            "DAFL-train.py:145": "student_lr_end",
            "DAFL-train.py:168": "generator_steps student_steps",
            "DAFL-train.py:170": "z_redraw latent",
            "DAFL-train.py:177": "ce_target",
            "DAFL-train.py:181": "memory keep",
            "DAFL-train.py:97": "temperature",
        },
    ),
    PublishedMethod(
        "zskt-paper",
        "polo5/ZeroShotKnowledgeTransfer at e24915d, WRN-16-2 → WRN-16-1 on CIFAR-10",
        {
            **_NOISE_ALONE,
            "rounds": 80_000,
            "synthesis_batch": 128,
            "z_size": 100,
            "z_redraw": "round",
            "generator_lr": 1e-3,
            "generator_beta1": Constant(0.9, note="Adam's default"),
            "generator_cosine": True,
            "gradient_clip": Constant(
                5.0,
                "the published KL is averaged over the classes too: for 10 classes every gradient is a tenth of ours",
            ),
            "attention_weight": Constant(250.0, "our KL is ten times as large for 10 classes, so this weight is too"),
            "ce_weight": 0.0,
            "bn_weight": 0.0,
            "adversarial_weight": 1.0,
            "student_steps": 10,
            "student_optimizer": "adam",
            "student_lr": 2e-3,
            "student_lr_end": 0.0,
            "weight_decay": 0.0,
            "temperature": 1.0,
        },
        (
            "`gradient_clip` and `attention_weight` are for ten classes. For k classes they would be 5 k and 250 k.",
            "The image head is NAYER's, with a sigmoid; published: a BatchNorm with weights and no bound (in the first "
            "commit, f9060a1, a first side of 10 and a BatchNorm without weights).",
            "The attention term compares the last feature maps of each side length; published: the outputs of the "
            "three groups of layers.",
            _EVAL_STUDENT,
        ),
        places={
            "scripts/ZeroShot/main0.sh:13": "rounds",
            "scripts/ZeroShot/main0.sh:14": "generator_steps",
            "scripts/ZeroShot/main0.sh:15": "student_steps",
            "scripts/ZeroShot/main0.sh:16": "synthesis_batch",
            "scripts/ZeroShot/main0.sh:17": "z_size",
            "scripts/ZeroShot/main0.sh:18": "student_lr",
            "scripts/ZeroShot/main0.sh:19": "generator_lr",
            "scripts/ZeroShot/main0.sh:22": "temperature",
            "scripts/ZeroShot/main0.sh:23": "attention_weight",
            "models/generator.py:20": "generator_width",
            "utils/loaders.py:45": "z_redraw latent",
            "solver.py:39": "generator_beta1 generator_adam",
            "solver.py:40": "generator_cosine",
            "solver.py:41": "student_optimizer weight_decay",
            "solver.py:42": "student_lr_end",
            "solver.py:100": "gradient_clip",
            "solver.py:110": "memory keep",
            "solver.py:226": "adversarial_weight adversarial_mask",
        },
    ),
    PublishedMethod(
        "dfad-paper",
        "VainF/Data-Free-Adversarial-Distillation at c161591, the README's command for CIFAR-10",
        {
            **_NOISE_ALONE,
            "rounds": 25_000,
            "synthesis_batch": 256,
            "z_size": 256,
            "z_redraw": "step",
            "generator_lr": 1e-3,
            "generator_beta1": Constant(0.9, note="Adam's default"),
            "generator_cosine": Constant("× 0.01 from 40 %", STEPS),
            "ce_weight": 0.0,
            "bn_weight": 0.0,
            "adversarial_weight": 1.0,
            "adversarial_form": "l1",
            "student_steps": 5,
            "student_loss": "l1",
            "student_lr": 0.1,
            "student_lr_end": Constant("× 0.01 from 40 %", STEPS),
            "weight_decay": 5e-4,
            "temperature": Constant("no KL", "the loss is the L1 distance of the logits"),
        },
        (
            _TANH,
            _EVAL_STUDENT,
            "The generator takes its step before the student's five; published: after them.",
        ),
        (_BEST_EPOCH,),
        places={
            "DFAD_cifar.py:24": "student_steps",
            "DFAD_cifar.py:25": "z_redraw latent",
            "DFAD_cifar.py:27": "memory keep",
            "DFAD_cifar.py:30": "student_loss temperature",
            "DFAD_cifar.py:35": "generator_steps",
            "DFAD_cifar.py:43": "adversarial_weight adversarial_form adversarial_mask",
            "DFAD_cifar.py:86": "synthesis_batch",
            "DFAD_cifar.py:91": "rounds",
            "DFAD_cifar.py:94": "student_lr",
            "DFAD_cifar.py:96": "generator_lr",
            "DFAD_cifar.py:104": "weight_decay",
            "DFAD_cifar.py:114": "z_size",
            "DFAD_cifar.py:151": "generator_beta1 generator_adam",
            "README.md:82, DFAD_cifar.py:154": "student_lr_end",
            "README.md:82, DFAD_cifar.py:155": "generator_cosine",
            "network/gan.py:13": "generator_width",
        },
    ),
    PublishedMethod(
        "dfq-paper",
        "zju-vipa/CMI at 9e79fa9, WRN-40-2 → WRN-16-1 on CIFAR-10",
        {
            **_NOISE_ALONE,
            "rounds": 8000,
            "synthesis_batch": 256,
            "z_size": 256,
            "z_redraw": "step",
            "generator_lr": 1e-3,
            "generator_beta1": 0.5,
            "ce_weight": 1.0,
            "ce_target": "teacher",
            "balance_weight": 20.0,
            "bn_weight": 1.0,
            "adversarial_weight": 1.0,
            "student_steps": 10,
            "student_lr": 0.1,
            "student_lr_end": 0.0,
            "temperature": Constant(
                1.0, note="for this method the code makes both KLs again without the `--T 20` of the script"
            ),
        },
        (
            "The paper has several generators and students, and each image's entropy (`entropy_weight`) instead of the "
            "cross-entropy with the teacher's class. Its authors' code is not public.",
            _BY_EPOCH,
            _WIDE_FIRST,
            _EVAL_GENERATOR,
            _BIASES,
        ),
        (
            "Fast-Datafree's copy of this code (at 0dcecbc, datafree_kd.py:270) passes the teacher where the student "
            "should be, so there the adversarial term is 0.",
            _BEST_EPOCH,
        ),
        read="a published reimplementation; the paper's own constants could not be verified",
        places={
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:4": "synthesis_batch",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:7": "student_lr",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:8-10": "rounds",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:9": "student_steps",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:11": "generator_steps",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:12": "generator_lr",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:13": "adversarial_weight",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:15": "bn_weight",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:16": "ce_weight",
            "scripts/dfq/dfq_cifar10_wrn402_wrn161.sh:18": "balance_weight",
            "datafree/synthesis/generative.py:40": "generator_beta1 generator_adam",
            "datafree/synthesis/generative.py:58": "z_redraw latent",
            "datafree/synthesis/generative.py:60": "crop_share flip",
            "datafree/synthesis/generative.py:63": "ce_target",
            "datafree/synthesis/generative.py:67": "adversarial_mask",
            "datafree/synthesis/generative.py:81": "memory keep",
            "datafree_kd.py:256": "z_size",
            "datafree_kd.py:257": "generator_width",
            "datafree_kd.py:259": "temperature",
            "datafree_kd.py:290": "student_lr_end",
        },
    ),
    PublishedMethod(
        "cmi-paper",
        "zju-vipa/CMI at 9e79fa9, WRN-40-2 → WRN-16-1 on CIFAR-10, from scratch",
        {
            **_POOLED,
            "pool_capacity": _pool("51,200"),
            "rounds": 200,
            "warmup_rounds": 0,
            "noisy_reset_every": 0,
            "generator_reset_every": 1,
            "generator_init_std": 0.02,
            "z_size": 256,
            "z_lr": 1e-3,
            "generator_lr": 1e-3,
            "generator_steps": 200,
            "synthesis_batch": 256,
            "ce_weight": 1.0,
            "bn_weight": 1.0,
            "bn_momentum": 0.0,
            "adversarial_weight": 0.5,
            "adversarial_mask": "agree",
            "contrastive_weight": 0.8,
            "bank_capacity": 40_960,
            "pool_from_round": 0,
            "student_steps": 400,
            "student_batch": 128,
            "student_lr": 0.1,
            "student_lr_end": 0.0,
        },
        (
            "This is the run from scratch (88.8 % by the repository's README). Its table (90.0 %) starts from inverted "
            "images: 40 epochs of 2000 steps, with a label weight of 0.5.",
            "The bank has vectors of the best images without augmentation and of a new local view of them; published: "
            "of the two views of the best step.",
            _LABELS,
            _NEW_BN,
            _BY_EPOCH,
            *_FROM_POOL,
            _BIASES,
        ),
        (
            _BEST_EPOCH,
            "When the bank has just become full (after 160 rounds), the published code treats it as empty. The mean "
            "over zero images is NaN, and the images of the round's first step enter the pool.",
        ),
        places={
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:4": "student_batch",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:5": "synthesis_batch",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:8": "student_lr",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:9": "student_steps",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:11": "generator_steps",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:12": "generator_lr z_lr",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:13": "adversarial_weight",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:14": "bn_weight",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:15": "ce_weight",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:16": "contrastive_weight",
            "scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh:22": "temperature",
            "datafree/synthesis/contrastive.py:171": "generator_init_std",
            "datafree/synthesis/contrastive.py:268": "z_redraw latent",
            "datafree/synthesis/contrastive.py:274": "generator_reset_every",
            "datafree/synthesis/contrastive.py:275": "generator_adam generator_beta1",
            "datafree/synthesis/contrastive.py:289": "adversarial_mask",
            "datafree/synthesis/contrastive.py:330": "keep",
            "datafree/synthesis/contrastive.py:342": "memory pool_from_round",
            "datafree/utils/_utils.py:236": "pool_capacity",
            "datafree_kd.py:56": "rounds",
            "datafree_kd.py:267": "z_size",
            "datafree_kd.py:268": "generator_width",
            "datafree_kd.py:276": "bank_capacity",
            "datafree_kd.py:290": "student_lr_end",
        },
    ),
    PublishedMethod(
        "fast-paper",
        "zju-vipa/Fast-Datafree at 0dcecbc, Fast-10, ResNet-34 → ResNet-18 (its WRN pairs have an adversarial weight "
        "of 1.1 and a label weight of 0.4)",
        {
            **_POOLED,
            "pool_capacity": _pool("56,320"),
            "rounds": 220,
            "warmup_rounds": 20,
            "noisy_reset_every": Constant(139, note="once in 220 rounds: before the 140th"),
            "generator_reset_every": 0,
            "z_size": 256,
            "z_lr": 0.01,
            "generator_lr": 2e-3,
            "meta_lr": Constant(2e-2, note="lr_g × g_steps"),
            "generator_steps": 10,
            "synthesis_batch": 256,
            "ce_weight": 0.5,
            "bn_weight": 10.0,
            "bn_momentum": 0.9,
            "adversarial_weight": 1.33,
            "adversarial_mask": "agree",
            "pool_from_round": Constant(0, EARLY),
            "student_steps": 400,
            "student_batch": 256,
            "student_lr": 0.2,
            "student_lr_end": 2e-4,
        },
        (
            "The re-drawn linear layer has PyTorch's default weights; published: N(0, 0.02²), also for the weights of "
            "the BatchNorm after it.",
            "The small version re-draws every 38 rounds: once in its 60 rounds, and more often in a longer run.",
            "The adversarial term starts in the round of the student's first training phase; published: one round "
            "earlier.",
            _LABELS,
            _BY_EPOCH,
            *_FROM_POOL,
            _BIASES,
        ),
        (_BEST_EPOCH,),
        places={
            "scripts/fast_cifar.sh:8": "rounds warmup_rounds student_steps student_batch student_lr generator_lr z_lr "
            "generator_steps ce_weight bn_weight bn_momentum adversarial_weight temperature",
            "datafree/synthesis/fast_meta.py:88": "meta_lr",
            "datafree/synthesis/fast_meta.py:110": "noisy_reset_every",
            "datafree/synthesis/fast_meta.py:114": "z_redraw latent",
            "datafree/synthesis/fast_meta.py:123": "generator_adam",
            "datafree/synthesis/fast_meta.py:126": "generator_beta1",
            "datafree/synthesis/fast_meta.py:146": "adversarial_mask",
            "datafree/synthesis/fast_meta.py:153": "keep",
            "datafree/synthesis/fast_meta.py:181": "memory pool_from_round",
            "datafree/utils/_utils.py:236": "pool_capacity",
            "datafree_kd.py:254": "synthesis_batch",
            "datafree_kd.py:305": "z_size",
            "datafree_kd.py:306": "generator_width",
            "datafree_kd.py:324": "student_lr_end",
        },
    ),
    PublishedMethod(
        "deepinversion-paper",
        "zju-vipa/CMI at 9e79fa9, WRN-40-2 → WRN-16-1 on CIFAR-10, from which the tables' figures come",
        {
            **_POOLED,
            "pool_capacity": _pool("51,200"),
            "generator_width": Constant("pixels", "0 means that the noise is the image"),
            "rounds": 200,
            "warmup_rounds": 0,
            "noisy_reset_every": 0,
            "generator_reset_every": 0,
            "z_size": Constant("pixels", "`generator_width=0` decides it"),
            "z_lr": Constant(0.1, note="of pixels normalized to a deviation of about 1"),
            "generator_lr": Constant("no generator", "there are no weights to train"),
            "generator_steps": 1000,
            "synthesis_batch": 256,
            "ce_weight": 1.0,
            "bn_weight": 10.0,
            "bn_momentum": 0.0,
            "total_variation_weight": Constant(
                1e-3,
                note="the published term includes diagonal neighbors and has normalized pixels: 0.0045 for noise, ours "
                "0.0005; both are negligible compared with a BN term of weight 10",
            ),
            "adversarial_weight": Constant(
                1.0, "plain DeepInversion; the Jensen–Shannon term of Adaptive DeepInversion does not exist here"
            ),
            "adversarial_mask": "none",
            "pool_from_round": 0,
            "student_steps": 400,
            "student_batch": 256,
            "student_lr": 0.1,
            "student_lr_end": 0.0,
        },
        (
            "β₂ of Adam is 0.999; published: 0.99.",
            "Each image is shifted and mirrored by its own random draw, and new pixels are black; published: one draw "
            "rolls all images of a batch.",
            "Pixels outside of [0, 1] are clipped before they are used; published: after each step.",
            "The authors' own script (NVlabs/DeepInversion at 2413af1, cifar10/) has 2000 steps, no adversarial term, "
            "and a total variation that is the L2 norm of the differences. Its README gives the paper's parameters: a "
            "BN weight of 10 and a learning rate of 0.05 (the parser's defaults are 100 and 0.1).",
            _LABELS,
            _BY_EPOCH,
            *_FROM_POOL,
        ),
        (
            "The best batch is copied. The published code stores `inputs.data` without a copy, and later steps change "
            "it.",
            _BEST_EPOCH,
        ),
        places={
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:4": "synthesis_batch student_batch",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:7": "student_lr",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:8": "rounds",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:9": "student_steps",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:11": "generator_steps",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:12": "z_lr",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:13": "adversarial_weight",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:14": "bn_weight",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:15": "ce_weight",
            "scripts/deepinv/deepinv_cifar10_wrn402_wrn161.sh:16": "temperature",
            "datafree/synthesis/deepinversion.py:74": "generator_width z_size z_redraw latent",
            "datafree/synthesis/deepinversion.py:80": "generator_adam generator_beta1",
            "datafree/synthesis/deepinversion.py:98": "keep",
            "datafree/synthesis/deepinversion.py:110": "memory pool_from_round",
            "datafree/utils/_utils.py:236": "pool_capacity",
            "datafree_kd.py:252, datafree/criterions.py:47": "total_variation_weight",
            "datafree_kd.py:290": "student_lr_end",
        },
    ),
    PublishedMethod(
        "gapssg-paper",
        "hfutqian/GapSSG at 442c017, ResNet-34 → MobileNetV2 on CIFAR-100, the only script that is published",
        {
            **_POOLED,
            "pool_capacity": _pool("51,200"),
            "rounds": 200,
            "warmup_rounds": 0,
            "noisy_reset_every": 0,
            "generator_reset_every": 1,
            "generator_init_std": 0.02,
            "z_size": 256,
            "z_lr": 2e-3,
            "generator_lr": 2e-3,
            "generator_steps": 200,
            "synthesis_batch": 256,
            "ce_weight": 0.0,
            "bn_weight": 1.0,
            "bn_momentum": 0.0,
            "adversarial_weight": 0.5,
            "adversarial_form": "gap",
            "adversarial_mask": "none",
            "pool_from_round": 0,
            "student_steps": Constant(
                "4 (epoch + 1)", "the mean over 200 epochs, because all phases have one length here"
            ),
            "student_batch": 128,
            "student_lr": 0.2,
            "student_lr_end": 0.0,
        },
        (_LABELS, _NEW_BN, _BY_EPOCH, *_FROM_POOL, _BIASES),
        (
            _BEST_EPOCH,
            "The published script asks for `--method gapssg`, which the published parser (datafree_kd.py:30) refuses.",
        ),
        places={
            "scripts/gapssg/cifar100_resnet34_mobilenetv2.sh:4": "student_batch",
            "scripts/gapssg/cifar100_resnet34_mobilenetv2.sh:5": "synthesis_batch",
            "scripts/gapssg/cifar100_resnet34_mobilenetv2.sh:8": "student_lr",
            "scripts/gapssg/cifar100_resnet34_mobilenetv2.sh:11": "generator_steps",
            "scripts/gapssg/cifar100_resnet34_mobilenetv2.sh:12": "generator_lr z_lr",
            "scripts/gapssg/cifar100_resnet34_mobilenetv2.sh:15": "temperature",
            "datafree/synthesis/gapssg_generative.py:85": "generator_init_std",
            "datafree/synthesis/gapssg_generative.py:176": "z_redraw latent",
            "datafree/synthesis/gapssg_generative.py:182": "generator_reset_every",
            "datafree/synthesis/gapssg_generative.py:183": "generator_adam generator_beta1",
            "datafree/synthesis/gapssg_generative.py:194-201": "ce_weight bn_weight adversarial_weight "
            "adversarial_form adversarial_mask",
            "datafree/synthesis/gapssg_generative.py:205": "keep",
            "datafree/synthesis/gapssg_generative.py:215": "memory pool_from_round",
            "datafree/utils/_utils.py:236": "pool_capacity",
            "datafree_kd.py:54": "rounds",
            "datafree_kd.py:247": "z_size",
            "datafree_kd.py:248": "generator_width",
            "datafree_kd.py:266": "student_lr_end",
            "datafree_kd.py:352": "student_steps",
        },
    ),
    PublishedMethod(
        "adadfkd-paper",
        "ljrprocc/DFKD at cd281c4, adadfkd_cifar10_wrn402_wrn161.sh (which trains WRN-16-2 from WRN-40-2)",
        {
            **_NOISE_ALONE,
            "rounds": 20_000,
            "synthesis_batch": 1024,
            "z_size": 512,
            "z_redraw": "step",
            "generator_init_std": 0.02,
            "generator_lr": 1e-3,
            "generator_beta1": 0.9,
            "ce_weight": 1.0,
            "ce_target": "teacher",
            "balance_weight": 20.0,
            "balance_temperature": 20.0,
            "bn_weight": 1.0,
            "adversarial_weight": 1.0,
            "adversarial_temperature": 3.0,
            "contrastive_weight": 0.1,
            "contrastive_with": "student",
            "bank_capacity": 8192,
            "student_steps": 10,
            "student_lr": 0.1,
            "student_lr_end": 0.0,
            "temperature": 20.0,
        },
        (
            "80 % of the sorted negatives count, as published. Here these 80 % move from the easiest to the hardest "
            "during the whole run; published: during its first three quarters.",
            "The bank is empty at the start; published: it contains random unit vectors.",
            "Student features of another length pass a random projection that stays the same; published: a new one in "
            "every step.",
            "The published student also minimizes 0.1 × InfoNCE of its features against the teacher's (`s_nce`), and "
            "the loss of each batch is multiplied by a weight that follows from the loss itself (`curr_log`). Neither "
            "exists here.",
            "β₂ of Adam is 0.999; published: 0.99.",
            _WIDE_FIRST,
            _NEW_BN,
            _EVAL_GENERATOR,
            _BY_EPOCH,
            _BIASES,
            "The small version follows an earlier script (at 14e6706): an adversarial weight of 0.3, only images on "
            "which both networks agree, and no temperature of 3.",
        ),
        (
            _BEST_EPOCH,
            "The script that the README names (resnet34_resnet18) stops at its start: the code asserts that the queue "
            "is a multiple of the batch (datafree/utils/_utils.py:677), and 4096 is no multiple of 768.",
        ),
        places={
            "scripts/adadfkd/adadfkd_cifar10_wrn402_wrn161.sh:1": "rounds synthesis_batch generator_steps generator_lr "
            "ce_weight balance_weight balance_temperature bn_weight adversarial_weight contrastive_weight "
            "bank_capacity student_steps student_lr temperature",
            "datafree/synthesis/adadfkd.py:18": "generator_init_std",
            "datafree/synthesis/adadfkd.py:83": "generator_beta1 generator_adam",
            "datafree/synthesis/adadfkd.py:124": "z_redraw latent",
            "datafree/synthesis/adadfkd.py:129": "crop_share flip",
            "datafree/synthesis/adadfkd.py:136": "ce_target",
            "datafree/synthesis/adadfkd.py:150-151": "adversarial_temperature adversarial_mask",
            "datafree/synthesis/adadfkd.py:163": "contrastive_with",
            "datafree/synthesis/adadfkd.py:189": "memory keep",
            "datafree_kd.py:559": "z_size",
            "datafree_kd.py:561": "generator_width",
            "datafree_kd.py:612": "student_lr_end",
        },
    ),
    PublishedMethod(
        "cpnet-paper",
        "LannCX/CPNet at 3f3d397, ResNet-34 → ResNet-18 on CIFAR-10; the rest is NAYER's",
        {
            "rounds": Constant(400, note="as in `nayer-paper`"),
            "warmup_rounds": 200,
            "student_every": 2,
            "student_steps": 400,
            "student_batch": 512,
            "student_lr": 0.2,
            "evaluate_every": Constant("each epoch", "an epoch is two rounds"),
            "generator_width": Constant(
                "the teacher's", "with `mirror_weight` the widths are the teacher's, and this is not used"
            ),
            "generator_steps": 30,
            "synthesis_batch": 400,
            "generator_reset_every": Constant("10 epochs", "10 epochs of 2 rounds are 20"),
            "warmup_generator_reset_every": Constant("10 epochs", "10 epochs of 10 rounds are 100"),
            "ce_weight": 0.5,
            "bn_weight": 10.0,
            "adversarial_weight": 1.33,
            "adversarial_form": "reverse-kl",
            "adversarial_mask": "agree",
            "mirror_weight": 1.0,
            "align_weight": Constant(1.33, note="published as a part of the adversarial term, with the KL"),
            "cutmix_share": Constant(0.0, note="the student's images are not mixed"),
            "pool_capacity": _pool("160,000"),
            "pool_from_round": Constant(0, EARLY),
            "held_back": Constant("none", NONE_HELD),
        },
        (
            "The images in the generator's losses are not mixed; published: CutMix for half of the batches, with the "
            "labels of both parts.",
            "In the small version, the adversarial term is NAYER's KL, and half of the student's images are mixed.",
            "The mirror term uses the teacher's last BatchNorm at each side length; published: four named layers, "
            "which are the same for ResNet-34.",
            "The generator's images get no color jitter; published: they do.",
            "The pseudo-inverse has PyTorch's tolerance; published: singular values of at least 0.1.",
            _BY_EPOCH,
            *_FROM_POOL,
            _BIASES,
        ),
        (
            "The published code does not run: it reads a loss (`loss_dis`, datafree/synthesis/cpnet.py:188) that it "
            "never assigns.",
            _BEST_EPOCH,
        ),
        read="from the code alone, which does not run; the paper's text and tables were not available",
        places={
            "cpnet_100.sh:37": "rounds warmup_rounds student_batch student_lr synthesis_batch",
            "cpnet_100.sh:39": "generator_steps ce_weight bn_weight adversarial_weight student_every",
            "datafree/synthesis/cpnet.py:106": "generator_reset_every warmup_generator_reset_every",
            "datafree/synthesis/cpnet.py:171": "adversarial_mask",
            "datafree/synthesis/cpnet.py:172": "adversarial_form",
            "datafree/synthesis/cpnet.py:174": "align_weight",
            "datafree/synthesis/cpnet.py:178": "mirror_weight",
            "datafree/synthesis/cpnet.py:205": "pool_from_round",
            "datafree/utils/_utils.py:236": "pool_capacity",
            "datafree/models/generator.py:17": "generator_width",
            "datafree_kd.py:81": "student_steps",
            "datafree_kd.py:457": "evaluate_every",
            "registry.py:114": "cutmix_share",
        },
    ),
)

FULL_SIZE = tuple(method.preset for method in PUBLISHED)
# Small versions with another ratio of student steps to generator steps than the published one, and the reason.
OTHER_RATIOS = {
    "fast-paper": (
        "20 student steps a round, not 400: with 400, the student would take nine tenths of the time of a small run. "
        "The number was tuned"
    ),
}
# Settings that only this program has: they change what is reported or measured.
NOT_PUBLISHED = frozenset({"report_every", "evaluate_every", "event_every", "test_images"})
