"""TODO service/slack/render/channel.py"""

from dataclasses import dataclass

from service.slack.render.phrases import DEFAULT_LANGUAGE, LANGUAGES, Phrases


@dataclass(frozen=True, slots=True)
class Channel:
    """The settings of a channel.

    `collection` and `folder` are empty for the usual collection and all of it; `folder` is the beginning of the documents'
    URIs. `every_message`: answer without being mentioned. `silent`: say nothing where the documents do not say.
    """

    collection: str = ""
    folder: str = ""
    every_message: bool = False
    silent: bool = False
    language: str = DEFAULT_LANGUAGE

    @property
    def phrases(self) -> Phrases:
        """The bot's words in the channel's language."""
        return LANGUAGES[self.language]
