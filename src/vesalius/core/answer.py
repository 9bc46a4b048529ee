"""What a task is answered with."""

from __future__ import annotations

from typing import Literal

#: An image, a label map (as probabilities of labels), or a class (as probabilities of classes).
Answer = Literal["image", "labels", "class"]
