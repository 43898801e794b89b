"""One utterance on its way in, with a decoder and a voice detector that say what the test wants."""

from aimark_daemon.audio.spans import WINDOW
from aimark_daemon.engines.whisper_decoder import Heard
from aimark_daemon.engines.whisper_hearing import Hearing
from tests.engines.voice_calls import StubCall, silence, tone


class Detector:
    """Voice is where the samples are loud."""

    def feed(self, samples):
        windows = (samples[at : at + WINDOW] for at in range(0, len(samples) - WINDOW + 1, WINDOW))
        return [float(abs(window).max() > 0.05) for window in windows]

    def finish(self):
        return []


class Decoder:
    """Hears the same words in every piece."""

    def hear(self, _samples, _language):
        return Heard("안녕하세요.", "ko", 0.9)


def heard(*, cancelled):
    call = StubCall()
    hearing = Hearing(Decoder(), Detector(), "auto", call)
    # The long pause completes a piece, which is understood before the utterance ends.
    hearing.feed(tone(1.0) + silence(2.0) + tone(0.5))
    call.cancel_after = 0 if cancelled else None
    return hearing.finish()


def test_every_piece_is_part_of_the_transcript():
    transcript = heard(cancelled=False)
    assert transcript.text == "안녕하세요. 안녕하세요."
    assert transcript.language == "ko"


def test_half_an_utterance_is_not_taken_for_the_whole_when_the_call_is_cancelled():
    transcript = heard(cancelled=True)
    assert transcript.text == ""
    assert transcript.audio_s == 3.5
