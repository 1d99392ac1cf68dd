"""Opens a teacher that came as files: its network, its test images, and remarks on it before a run."""

from __future__ import annotations

from dataclasses import replace

import torch

from nayer.data.custom_dataset import labeled_as
from nayer.data.image_folders import VISITOR, in_zip
from nayer.data.parquet import in_parquet
from nayer.data.test_sets import TestSet
from nayer.distillation.evaluation import predict
from nayer.errors import AssetError
from nayer.networks.cards import TeacherCard
from nayer.networks.hooks import with_statistics
from nayer.teachers.load import Teacher, teacher_of, with_judge
from nayer.teachers.upload import UploadedTeacher

TRIED = 16  # noise images that show whether the teacher's outputs differ at all
MEASURED = 500  # test images that measure its accuracy
MOST_PIXELS = 100e6  # of its test images: 1,500 of 256 × 256 px, which take up to 20 s
PARQUET = b"PAR1"  # the first bytes of a parquet file


def opened(uploaded: UploadedTeacher) -> tuple[Teacher, TestSet | None]:
    """The teacher, its judge and its test images, if the files contain any. Raises NayerError in one sentence."""
    card = uploaded.card()
    teacher = teacher_of(card, uploaded.weights)
    if uploaded.has_judge:
        teacher = replace(teacher, judge=teacher_of(uploaded.judge_card(), uploaded.judge_weights))
    else:
        teacher = with_judge(teacher)
    return teacher, _testset(uploaded.tests, card) if uploaded.tests else None


def remarks(teacher: Teacher, testset: TestSet | None) -> list[str]:
    """Sentences on the features that a run with this teacher lacks, and on the teacher's accuracy."""
    card, network = teacher.card, teacher.network
    sentences = []
    if card.judge is not None:
        sentences.append(f"Its judge ({card.judge.architecture}) gives a second opinion on its images.")
    if not with_statistics(network):
        sentences.append("It has no BatchNorm, so there is no BN term.")
    rng = torch.Generator().manual_seed(0)
    noise = torch.rand(TRIED, card.model.channels, card.model.size, card.model.size, generator=rng)
    with torch.no_grad():
        spread = network(noise).std(dim=0).max()
        if testset is not None:
            places = torch.linspace(0, len(testset.labels) - 1, min(MEASURED, len(testset.labels))).long()
            images, labels = torch.from_numpy(testset.images)[places], torch.from_numpy(testset.labels)[places]
            right = (predict(network, images) == labels).float().mean().item()
    if spread < 1e-6:
        sentences.append("It gives the same answer for every image, so a student can learn nothing from it.")
    if testset is not None:
        sentences.append(f"It is correct on {right:.0%} of {len(labels):,} of your test images.")
        if right < 1.5 / len(card.classes):
            sentences.append("That is near chance. Check the order of the classes and the normalization of the images.")
    return sentences


def _testset(content: bytes, card: TeacherCard) -> TestSet:
    """The test images. Matches labels to the card's classes by name. Raises AssetError for any other file."""
    if content.startswith(PARQUET):
        pictures = in_parquet(content, "test images", VISITOR)
    else:
        pictures = in_zip(content, "test images", VISITOR)
    if not pictures:
        raise AssetError("the test images must lie in folders named after their classes, such as cat/1.png.")
    images, labels = labeled_as(pictures, card.classes, card.model.channels, card.model.size, MOST_PIXELS)
    return TestSet(images, labels, f"{len(labels):,} test images from the teacher's owner")
