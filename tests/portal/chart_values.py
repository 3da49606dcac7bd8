"""What a chart draws."""

import json

import altair as alt


def values_of(chart: alt.TopLevelMixin) -> list[dict]:
    datasets = json.loads(chart.to_json())["datasets"]
    return [row for rows in datasets.values() for row in rows]
