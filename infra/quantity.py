"""Kubernetes quantities (`100m`, `64Mi`, `0.5`) as exact numbers, to be checked and compared."""

import re
from decimal import Decimal

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_FACTOR = {
    None: Decimal(1),
    "m": Decimal(1) / 1000,
    "k": Decimal(1000),
    "M": Decimal(1000) ** 2,
    "G": Decimal(1000) ** 3,
    "T": Decimal(1000) ** 4,
    "Ki": Decimal(1024),
    "Mi": Decimal(1024) ** 2,
    "Gi": Decimal(1024) ** 3,
    "Ti": Decimal(1024) ** 4,
}


def parse_quantity(text: str) -> Decimal | None:
    """How much `text` is, in cores or bytes; None where it is not a quantity."""
    match = _FORM.fullmatch(text)
    return Decimal(match[1]) * _FACTOR[match[2]] if match else None
