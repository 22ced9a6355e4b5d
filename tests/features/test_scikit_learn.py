"""scikit-learn on our workers gives what it gives on joblib's own."""

import pytest

joblib = pytest.importorskip("joblib")
pytest.importorskip("sklearn", reason="scikit-learn is installed for the judges, not for the tests")

import numpy as np  # noqa: E402
from sklearn.datasets import make_classification, make_regression  # noqa: E402
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, StandardScaler  # noqa: E402
from sklearn.svm import SVC  # noqa: E402

import manyhands.joblib  # noqa: E402, F401 (registers the backend)


@pytest.fixture(scope="module", autouse=True)
def loky():
    """loky's processes, which it keeps for itself, are there before the tests and gone after them."""
    joblib.Parallel(n_jobs=2, backend="loky")(joblib.delayed(abs)(i) for i in range(4))
    yield
    joblib.externals.loky.get_reusable_executor().shutdown()


def on(backend, work):
    with joblib.parallel_config(backend, n_jobs=2):
        return work()


def same(work):
    """What `work` gives on our workers, which must be what it gives on loky's and in a loop."""
    ours = on("manyhands", work)
    for other in ("loky", "sequential"):
        np.testing.assert_equal(ours, on(other, work))
    return ours


def test_a_grid_search():
    data, labels = make_classification(300, 12, random_state=0)

    def search():
        found = GridSearchCV(SVC(), {"C": [0.1, 1, 10], "gamma": [0.01, 0.1], "kernel": ["rbf", "linear"]}, cv=5)
        found.fit(data, labels)
        times = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")
        results = {name: np.asarray(value) for name, value in found.cv_results_.items() if name not in times}
        return found.best_params_, found.best_score_, results["mean_test_score"], found.predict(data)

    assert same(search)[1] > 0.8


def test_a_grid_search_over_large_data_with_the_programs_own_functions():
    data, labels = make_classification(4000, 50, random_state=1)
    assert data.nbytes > 1 << 20
    shift = 2.0

    def search():
        model = make_pipeline(FunctionTransformer(lambda x: x + shift), StandardScaler(), LogisticRegression())
        found = GridSearchCV(model, {"logisticregression__C": [0.1, 1.0]}, cv=3).fit(data, labels)
        return found.best_params_, found.cv_results_["mean_test_score"]

    same(search)


def test_a_random_forest():
    data, labels = make_classification(500, 10, random_state=2)
    same(lambda: RandomForestClassifier(40, random_state=0, n_jobs=2).fit(data, labels).predict_proba(data))
    data, values = make_regression(300, 8, random_state=3)
    same(lambda: RandomForestRegressor(20, random_state=0, n_jobs=2, oob_score=True).fit(data, values).oob_prediction_)


def test_a_forest_inside_of_a_cross_validation():
    data, labels = make_classification(200, 8, random_state=4)
    same(lambda: cross_val_score(RandomForestClassifier(10, random_state=0, n_jobs=2), data, labels, cv=4, n_jobs=2))


def test_a_fit_that_fails():
    data, labels = make_classification(100, 5, random_state=5)
    with joblib.parallel_config("manyhands", n_jobs=2), pytest.raises(ValueError, match="C=-1.0|'C' parameter"):
        GridSearchCV(SVC(), {"C": [-1.0, 1.0]}, cv=3, error_score="raise").fit(data, labels)
