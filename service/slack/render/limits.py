"""What Slack accepts, in one place. Lengths are UTF-16 units, the largest of the counts that Slack could mean by "characters".

Sources: docs.slack.dev, the Block Kit reference and the methods chat.postMessage, chat.startStream and views.open; and
slackapi/bolt-js issues 2509 and 2867 for the limit on a whole message, which the reference does not name: messages whose texts
summed to 11,341 characters were turned away (`msg_blocks_too_long`), with the objects around the texts counted in some way.
"""

import json
from collections.abc import Mapping
from typing import Any

Block = Mapping[str, Any]

BLOCKS_IN_MESSAGE = 50
BLOCKS_IN_MODAL = 100
OPTION_TEXT = 75
OPTIONS_IN_SELECT = 100
MODAL_TITLE = 24
PROMPTS = 4

MESSAGE_SIZE = 10_000
"""Most units of JSON that the blocks of one message take here. Below every message that Slack was seen to turn away."""
BLOCK_TEXT = 2500
"""Most units of text in one rich text block here: below the limit of a section, with room for what closes directions."""
FALLBACK_TEXT = 3000
"""Most units of a message's `text`, which notifications and screen readers show beside the blocks; Slack advises 4,000."""


def units(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def size(block: Block) -> int:
    """The length of a block as JSON, in UTF-16 units."""
    return units(json.dumps(block, ensure_ascii=False))
