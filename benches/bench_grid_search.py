"""A grid search of scikit-learn, 200 small fits, on joblib's own processes and on ours: one word of it differs."""

from __future__ import annotations

import warnings

import joblib

import manyhands.joblib  # noqa: F401 (registers the backend)
from harness import WORKERS, Row, beside, interleaved

CANDIDATES = {"max_depth": list(range(1, 11)), "min_samples_leaf": [1, 2, 4, 8]}
FOLDS = 5


def run(quick: bool) -> list[Row]:
    from sklearn.datasets import make_classification
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    data, labels = make_classification(300, 10, random_state=0)

    def search(backend: str) -> tuple[dict, float]:
        with joblib.parallel_config(backend, n_jobs=WORKERS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = GridSearchCV(DecisionTreeClassifier(random_state=0), CANDIDATES, cv=FOLDS).fit(data, labels)
        return found.best_params_, found.best_score_

    answer = search("sequential")
    medians = interleaved(
        {name: lambda name=name: search(name) for name in ("loky", "manyhands", "sequential")},
        passes=5 if quick else 15,
        check=answer.__eq__,
    )
    fits = len(CANDIDATES["max_depth"]) * len(CANDIDATES["min_samples_leaf"]) * FOLDS
    return [
        Row(
            work=f"scikit-learn grid search, {fits} small fits",
            ours=medians["manyhands"],
            against="loky",
            base=medians["loky"],
            limit=0.9,
            unit="s",
            beside=beside(medians, "manyhands", "loky"),
        )
    ]
