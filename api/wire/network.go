package wire

import "appliance/pool"

// LeaseView is a lease with what is known around it.
type LeaseView struct {
	pool.Lease
	State   pool.LeaseState `json:"state" enum:"offered,active,expired,declined"`
	Machine string          `json:"machine,omitempty"` // name of the machine that has the MAC
	Subnet  string          `json:"subnet,omitempty"`
}

// SubnetView is a network that is served, and what the appliance is on it now.
type SubnetView struct {
	pool.Subnet
	Now  pool.SubnetMode `json:"now"`  // auto: it still listens for other DHCP servers
	Live int             `json:"live"` // leases that run
}
