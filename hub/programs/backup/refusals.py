"""What a restore says when it does nothing, or cannot go on."""

from pathlib import Path

import psycopg

from hub.errors import SetupError


def not_empty(what: str) -> SetupError:
    """There are data, and nobody said that they may be replaced."""
    return SetupError(
        f"There are data already ({what}). Nothing was changed. With --replace the backup takes their place, and what "
        "is there is kept beside it.",
        ko=f"이미 데이터가 있습니다({what}). 아무것도 바꾸지 않았습니다. --replace를 붙이면 백업으로 바꾸고 지금 것은 "
        "옆에 남겨 둡니다.",
    )


def not_ours(name: str) -> SetupError:
    """The tables are not of a hub."""
    return SetupError(
        f"The database {name} has tables, and none of Floorhub: it belongs to another program. Nothing was changed. "
        "Name the hub's database in FLOORHUB_DATABASE_URL, or an empty one.",
        ko=f"데이터베이스 {name}에 테이블이 있지만 Floorhub의 것이 아닙니다. 다른 프로그램의 것입니다. 아무것도 "
        "바꾸지 않았습니다. FLOORHUB_DATABASE_URL에 허브의 데이터베이스나 빈 데이터베이스를 지정하십시오.",
    )


def stopped(folder: Path, words: str) -> SetupError:
    """Something failed that the next try may get over."""
    return SetupError(
        f"The restore into {folder} has stopped: {words}. Remove the cause, then run the same command again.",
        ko=f"{folder}의 복원이 중단되었습니다: {words}. 원인을 없앤 뒤 같은 명령을 다시 실행하십시오.",
    )


def refused(problem: psycopg.Error) -> SetupError:
    """Postgres does not let us do what the restore needs."""
    words = " ".join(str(problem).split())
    return SetupError(
        f"Postgres refuses what is needed: {words}. Nothing was changed.",
        ko=f"Postgres가 필요한 작업을 거절했습니다: {words}. 아무것도 바꾸지 않았습니다.",
    )
