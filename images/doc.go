// Package images decides what a machine boots, and keeps and serves what it
// boots from: the boot kit, iPXE scripts, disk images, packages.
//
// The decision is one pure function, Decide. The row decides: everything it
// looks at is in pool.BootState and pool.Client. DHCP, TFTP and HTTP all ask
// it, so a machine gets the same answer from each.
//
// It never talks DHCP or TFTP, and never writes to a machine: machines pull.
package images
