// Package ipmi controls a machine through its BMC: chassis power and boot
// device, by IPMI 2.0 (RMCP+) or Redfish.
//
// Every call opens a session, does one thing and gives the session back,
// because a BMC has few of them. Every call ends: by its context, or after
// Controller.Timeout. bmclib does the calling; IPMI is a provider of our own
// in its registry (lan), built on go-ipmi, so no program is ever run; Redfish
// is bmclib's gofish provider behind redfishDriver, which tells its errors
// apart.
//
// The package remembers nothing, retries nothing that a BMC has refused, and
// never shows a password.
package ipmi
