"""Why a connection failed, in words: what the system and its libraries say, in English and Korean."""

import re

_NUMBER = re.compile(r"\[Errno -?\d+\] ?")
_KOREAN = (
    ("connection refused", "연결이 거부됨"),
    ("connection reset", "연결이 끊김"),
    ("broken pipe", "연결이 끊김"),
    ("disconnected without sending a response", "응답 없이 연결이 끊김"),
    ("timed out", "시간 초과"),
    ("timeout", "시간 초과"),
    ("no answer in time", "시간 초과"),
    ("name or service not known", "호스트 이름을 찾을 수 없음"),
    ("nodename nor servname", "호스트 이름을 찾을 수 없음"),
    ("no address associated with hostname", "호스트 이름에 주소가 없음"),
    ("temporary failure in name resolution", "호스트 이름을 확인할 수 없음(DNS)"),
    ("no route to host", "호스트까지 경로가 없음"),
    ("network is unreachable", "네트워크에 연결할 수 없음"),
    ("certificate verify failed", "인증서를 신뢰할 수 없음"),
    ("all connection attempts failed", "연결할 수 없음"),
    ("permission denied", "권한 없음"),
    ("no such file or directory", "파일 없음"),
)
"""What a failure says, in lower letters, and the same in Korean."""


def in_words(problem: BaseException | str) -> tuple[str, str]:
    """In English, without the system's number, and in Korean if that is known; else as the library says it."""
    english = _NUMBER.sub("", str(problem)).strip() or type(problem).__name__
    said = english.lower()
    return english, next((korean for words, korean in _KOREAN if words in said), english)
