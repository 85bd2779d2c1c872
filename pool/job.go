package pool

// Job is a step that a machine's driver carries out from the appliance.
type Job struct {
	Step     string
	Machine  Machine
	Image    string
	Hostname string
	// Keep says that the data of a machine that is given up are kept.
	Keep bool
	// Credential is the machine's login, sealed in the store; zero when it has none.
	Credential Secret
}

// JobResult is what a driver's step brought. All fields are optional.
type JobResult struct {
	Facts   *Facts `json:"facts,omitempty"`
	HostKey string `json:"hostKey,omitempty"` // seen at the first contact
	Output  string `json:"output,omitempty"`
	GUID    string `json:"guid,omitempty"` // of a BMC that told none in-band
}
