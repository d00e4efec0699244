"""Reading the hub's figures."""

from prometheus_client.parser import text_string_to_metric_families

from tests.support.site import Site


def figures(site: Site, path: str = "/metrics") -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = site.http.get(path)
    assert answer.status_code == 200, answer.text
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
