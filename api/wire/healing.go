package wire

// StopHealingRequest says why nothing is to be healed.
type StopHealingRequest struct {
	Why string `json:"why,omitempty"`
}

// RecoverRequest is a person's word on a service that waits for one.
type RecoverRequest struct {
	WithoutData bool `json:"withoutData,omitempty"` // give up what the lost machine's disks hold; they stay protected
	MachineOff  bool `json:"machineOff,omitempty"`  // the lost machine is switched off, whatever its BMC says
}

// MaintenanceRequest begins maintenance for a time; 0 seconds: until it is ended.
type MaintenanceRequest struct {
	Seconds int64  `json:"seconds,omitempty" minimum:"0" maximum:"31536000"`
	Reason  string `json:"reason,omitempty"`
}
