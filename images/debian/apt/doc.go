// Package apt drives apt-get and apt-cache of a Debian host with lists, cache
// and package state of its own, so that packages of another release, or for
// another machine, are resolved and downloaded with their signatures checked.
//
// It never installs anything, never touches the state of the host's own apt,
// and names no mirror: the mirrors are those the host is configured with.
package apt
