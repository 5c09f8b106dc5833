//! Shared access policies and what they allow (protocol §1.3).

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(clippy::struct_excessive_bools)] // Four independent rights, as the service lists them.
pub struct Permissions {
    pub registry_read: bool,
    pub registry_write: bool,
    pub service_connect: bool,
    pub device_connect: bool,
}

/// One right of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    RegistryRead,
    RegistryWrite,
    ServiceConnect,
    DeviceConnect,
}

impl Permission {
    /// As Azure spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::RegistryRead => "RegistryRead",
            Self::RegistryWrite => "RegistryWrite",
            Self::ServiceConnect => "ServiceConnect",
            Self::DeviceConnect => "DeviceConnect",
        }
    }
}

impl Permissions {
    #[must_use]
    pub fn allow(self, permission: Permission) -> bool {
        match permission {
            Permission::RegistryRead => self.registry_read || self.registry_write,
            Permission::RegistryWrite => self.registry_write,
            Permission::ServiceConnect => self.service_connect,
            Permission::DeviceConnect => self.device_connect,
        }
    }
}

const NONE: Permissions =
    Permissions { registry_read: false, registry_write: false, service_connect: false, device_connect: false };

/// The five policies every hub starts with.
pub const DEFAULT_POLICIES: [(&str, Permissions); 5] = [
    (
        "iothubowner",
        Permissions { registry_read: true, registry_write: true, service_connect: true, device_connect: true },
    ),
    ("service", Permissions { service_connect: true, ..NONE }),
    ("device", Permissions { device_connect: true, ..NONE }),
    ("registryRead", Permissions { registry_read: true, ..NONE }),
    ("registryReadWrite", Permissions { registry_read: true, registry_write: true, ..NONE }),
];
