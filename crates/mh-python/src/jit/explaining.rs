//! `Explanation`: what became of a compiled function, as a terminal and a notebook show it.

use mh_compile::explain::Explanation;
use pyo3::prelude::*;

/// What became of a compiled function, line by line: shown by a prompt, by `print` and by a notebook.
#[pyclass(frozen, name = "Explanation", module = "manyhands._native")]
pub struct Explained(pub Explanation);

#[pymethods]
impl Explained {
    fn __str__(&self) -> String {
        self.0.to_string().trim_end().to_string()
    }

    fn __repr__(&self) -> String {
        self.__str__()
    }

    fn _repr_html_(&self) -> String {
        self.0.html()
    }
}
