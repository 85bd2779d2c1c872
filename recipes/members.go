package recipes

import "strings"

// members are the names that a class of ours and its objects answer; nil where
// that is not told. TestMembers compares with what the code asks for.
func members(class string) []string {
	switch class {
	case "File":
		return strings.Fields(`text name path absolutePath canonicalPath parent parentFile absoluteFile canonicalFile separator
			toURL toURI toPath getText setText write append leftShift withWriter withWriterAppend withPrintWriter withOutputStream
			readLines eachLine splitEachLine eachFile eachDir eachFileMatch eachFileRecurse eachDirRecurse traverse
			withReader withInputStream newReader newInputStream filterLine getBytes readBytes
			exists isFile isDirectory canRead canWrite canExecute isHidden isAbsolute lastModified setReadable setWritable setExecutable
			deleteOnExit length size mkdir mkdirs delete deleteDir createNewFile renameTo list listFiles createTempFile compareTo`)
	case "System":
		return strings.Fields("properties env out err getenv getProperty exit currentTimeMillis nanoTime")
	case "ServiceUtils":
		return strings.Fields(`ProcessUtils downloadUtil isWindows isLinuxOrUnix getDownloadUtil getPrimaryInetAddress isPortOccupied isPortFree
			arePortsFree arePortsOccupied isHttpURLAvailable getHttpReturnCode`)
	case "InetAddress":
		return strings.Fields("getLocalHost getByName hostAddress hostName canonicalHostName")
	case "ServiceContextFactory":
		return append(spoken(), "getServiceContext")
	case "OperatingSystem":
		return strings.Fields("getInstance vendor name vendorVersion")
	case "Unit", "Statistics", "FileTransferModes", "RemoteExecutionModes", "ScriptLanguages", "AccessRuleType":
		return []string{} // the constants say all
	}
	return nil
}

// spoken are names of objects that no class makes: those of the context, of
// processes, of readers. They are told of ServiceContextFactory, which all begins with.
func spoken() []string {
	return strings.Fields(`instanceId serviceName applicationName serviceDirectory privateAddress bindAddress publicAddress machineID locationId
		cloudTemplateName imageID hardwareID externalProcessId localCloud privileged attributes admin storage isLocalCloud isPrivileged
		waitForService startMaintenanceMode stopMaintenanceMode thisInstance thisService thisApplication global
		setSecret remove clear containsKey get put set getAt putAt instances numberOfPlannedInstances numberOfActualInstances
		waitForInstances invoke instanceID hostAddress hostName canonicalHostName getDetails getMonitors
		getPidsWithQuery getPidsWithMainClass getPidsWithName getPidsWithFullName
		in err inputStream errorStream waitFor exitValue waitForOrKill destroy closeStreams consumeProcessOutput waitForProcessOutput
		readLine close println print flush info warning severe fine finer finest debug error log`)
}
