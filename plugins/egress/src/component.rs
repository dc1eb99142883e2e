//! Whose hosts they are.

use mizzen_istio_egress::{NameError, Part};

/// Whose hosts they are. In the order in which they have them, where several want one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    /// Dynatrace's operator: the API, and the proxy.
    Operator,
    /// The ActiveGates.
    ActiveGate,
    /// The OneAgents.
    OneAgent,
}

impl Component {
    pub(crate) const ALL: [Self; 3] = [Self::Operator, Self::ActiveGate, Self::OneAgent];

    /// As labels and names of objects have it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::ActiveGate => "activegate",
            Self::OneAgent => "oneagent",
        }
    }

    /// The type of its condition, which begins the condition's reasons, too.
    pub(crate) fn condition(self) -> &'static str {
        match self {
            Self::Operator => "IstioForOperator",
            Self::ActiveGate => "IstioForActiveGate",
            Self::OneAgent => "IstioForOneAgent",
        }
    }

    pub(crate) fn part(self) -> Result<Part, NameError> {
        Part::word(self.label())
    }
}
