//! The components that need hosts.

use mizzen_istio_egress::{NameError, Part};

/// A component that needs hosts. The order is the order in which they get a host that several want.
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

    /// Its name in labels and names of objects.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::ActiveGate => "activegate",
            Self::OneAgent => "oneagent",
        }
    }

    /// The type of its condition, and the prefix of the condition's reasons.
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
