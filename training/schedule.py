"""Learning rate by elapsed share of a time budget: warm up, stay, cool down. A run can be cut short and still cool down."""


def factor(share: float, warm: float = 0.03, cool: float = 0.2) -> float:
    """The multiplier of the peak rate at `share` (0 to 1) of the budget: linear up, flat, then 1 - sqrt down to 0.

    The shape is warm-up, stable, decay (Hu et al. 2024, MiniCPM) with the square-root cool-down of Haegele et al. 2024.
    """
    if share < warm:
        return max(share / warm, 0.01)
    if share < 1 - cool:
        return 1.0
    return float(max(0.0, 1 - ((min(share, 1.0) - (1 - cool)) / cool) ** 0.5))
