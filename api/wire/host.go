package wire

import "appliance/pool"

// HostsRequest brings hosts that already run into the pool, by the forms of
// those who bring their own nodes; Local brings the appliance's own.
type HostsRequest struct {
	Local bool        `json:"local,omitempty"`
	Nodes []HostNodes `json:"nodes,omitempty" maxItems:"1000"`
	// Template whose node list they are; none for hosts that serve all.
	Template string   `json:"template,omitempty" maxLength:"63"`
	Zone     string   `json:"zone,omitempty" maxLength:"63"`
	Rack     string   `json:"rack,omitempty" maxLength:"63"`
	Tags     []string `json:"tags,omitempty" maxItems:"64"`
	// Login of nodes that have none of their own.
	HostLogin
}

// HostNodes names hosts: one of a list and a range, and an ID in which {0}
// becomes a counter.
type HostNodes struct {
	ID    string `json:"id" minLength:"1" maxLength:"63"`
	List  string `json:"hostList,omitempty" maxLength:"65536" doc:"addresses or names, separated by commas"`
	Range string `json:"hostRange,omitempty" maxLength:"200" doc:"FIRST-LAST or a CIDR prefix"`
	HostLogin
}

// HostLogin is how to log in: with the key, else with the password. Both are
// sealed at once and never shown.
type HostLogin struct {
	User     string `json:"user,omitempty" maxLength:"64"`
	Password string `json:"password,omitempty" maxLength:"1024"`
	Key      string `json:"key,omitempty" maxLength:"16384" doc:"private key, PEM or OpenSSH, without a passphrase"`
	Port     int    `json:"port,omitempty" minimum:"0" maximum:"65535"`
}

// Login returns l in the pool's words.
func (l HostLogin) Login() pool.NodeLogin {
	return pool.NodeLogin{User: l.User, Password: l.Password, Key: l.Key, Port: l.Port}
}

// Host is a running host of the pool.
type Host struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	State    pool.HostState `json:"state" doc:"FREE, ALLOCATED, INVALID or TERMINATED; empty while it is checked or cleaned"`
	Host     string         `json:"host,omitempty" doc:"empty for the appliance's own"`
	Port     int            `json:"port,omitempty"`
	User     string         `json:"user,omitempty"`
	HostKey  string         `json:"hostKey,omitempty" doc:"SHA-256 fingerprint that is pinned"`
	Template string         `json:"template,omitempty"`
	Zone     string         `json:"zone,omitempty"`
	Rack     string         `json:"rack,omitempty"`
	Tags     []string       `json:"tags,omitempty"`
	Arch     pool.Arch      `json:"arch,omitempty"`
	Cores    int            `json:"cores,omitempty"`
	Memory   uint64         `json:"memory,omitempty"`
	System   string         `json:"system,omitempty"`
	Agent    string         `json:"agent,omitempty" doc:"how the agent is started there"`
	Instance string         `json:"instance,omitempty"`
	Service  string         `json:"service,omitempty"`
	Why      string         `json:"why,omitempty" doc:"why it is INVALID, or what is done to it"`
}
