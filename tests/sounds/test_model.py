"""What a sound is, told by its bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sound_files import MP3, MPEG_1, TAG, WAV, frame, wav

from peal.sounds.model import file_name, format_of


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(WAV, "wav", id="pcm"),
        pytest.param(wav(form=6), "wav", id="a-law"),
        pytest.param(wav(chunks=b"LIST\x05\0\0\0INFO.\0"), "wav", id="odd-chunk-before-the-samples"),
        pytest.param(MPEG_1 * 3, "mp3", id="mpeg-1"),
        pytest.param(frame("fff36400", 144) * 3, "mp3", id="mpeg-2-24-khz"),
        pytest.param(frame("ffe34000", 208) * 3, "mp3", id="mpeg-2.5-11-khz"),
        pytest.param(TAG + MPEG_1 * 3, "mp3", id="tag"),
        pytest.param(TAG + b"\0" * 100 + MPEG_1 * 3, "mp3", id="padding-beyond-the-tag"),
        pytest.param(MPEG_1, "mp3", id="one-frame"),
    ],
)
def test_wav_and_mp3_are_told(content, told):
    assert format_of(content) == told


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"RIFF\x24\0\0\0WAVE", id="wav-without-chunks"),
        pytest.param(WAV[:44], id="wav-without-samples"),
        pytest.param(WAV.replace(b"WAVE", b"AVI "), id="another-riff"),
        pytest.param(WAV.replace(b"fmt ", b"data"), id="samples-of-no-format"),
        pytest.param(WAV[:22] + b"\0\0" + WAV[24:], id="no-channel"),
        pytest.param(TAG, id="tag-alone"),
        pytest.param(b"ID3", id="tag-cut-off"),
        pytest.param(MPEG_1 + b"no frame", id="one-frame-and-text"),
        pytest.param(frame("fffd9000", 417) * 3, id="layer-2"),
        pytest.param(b"\xff\xfb\x90\x00 text that looks like a frame", id="text"),
        pytest.param(b"OggS" + MPEG_1 * 3, id="ogg"),
        pytest.param(b"<html>" + WAV, id="html"),
    ],
)
def test_all_else_is_not(content):
    assert format_of(content) is None


def test_a_padded_frame_is_a_byte_longer():
    rest = frame("fff36000", 156) * 2
    assert format_of(frame("fff36200", 157) + rest) == "mp3"
    assert format_of(frame("fff36200", 156) + rest) is None


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: MP3[:160] + tail))
def test_no_bytes_make_it_stumble(content):
    assert format_of(content) in (None, "mp3")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("morning.wav", "morning.wav"),
        ("C:\\Users\\me\\morning.wav", "morning.wav"),
        ("../../etc/passwd", "passwd"),
        ('a"b.wav', 'a"b.wav'),
        ("a\r\nSet-Cookie: x=1.wav", "aSet-Cookie: x=1.wav"),
        ("Доброе утро.wav", "Доброе утро.wav"),
        ("wav.\u202eexe", "wav.exe"),
        ("", "sound.wav"),
        ("folder/", "sound.wav"),
        ("x" * 300 + ".wav", "x" * 251 + ".wav"),
    ],
)
def test_a_file_name_has_no_folder_and_nothing_that_does_not_print(sent, kept):
    assert file_name(sent, "wav") == kept
