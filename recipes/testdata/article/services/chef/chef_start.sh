#!/bin/sh
echo chef_start
