#!/bin/sh
echo chef_stop
