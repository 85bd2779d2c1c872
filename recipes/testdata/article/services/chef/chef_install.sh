#!/bin/sh
echo chef_install
