# Servers: start_server, restart_server, and the words that reach the one at hand: r, s, srv, redis_client.

# The servers of the blocks that are open, the innermost last: dictionaries of host, port, client, pid, config,
# config_file, dir, stdout, stderr, unixsocket.
set ::servers {}
set ::global_overrides {}
set ::last_port_attempted 0

# An item of the server at a level: 0 is the innermost, -1 the one around it.
proc srv {args} {
  if {[llength $args] == 1} { set args [linsert $args 0 0] }
  lassign $args level property
  dict get [get_srv $level] $property
}

proc get_srv {level} { lindex $::servers end+$level }

# Splits a level off the front of arguments, if there is one.
proc takeLevel {argumentsName} {
  upvar 1 $argumentsName arguments
  if {[string is integer -strict [lindex $arguments 0]]} {
    set level [lindex $arguments 0]
    set arguments [lrange $arguments 1 end]
    return $level
  }
  return 0
}

proc r {args} {
  set level [takeLevel args]
  [srv $level client] {*}$args
}
proc Rn {index} { srv -$index client }
proc R {index args} { [Rn $index] {*}$args }

# A field of INFO.
proc s {args} {
  set level [takeLevel args]
  status [srv $level client] [lindex $args 0]
}

proc CI {index field} { getInfoProperty [R $index cluster info] $field }

proc reconnect {args} {
  set level [takeLevel args]
  set server [get_srv $level]
  if {[dict exists $server client]} { catch {[dict get $server client] close} }
  dict set server client [redis [dict get $server host] [dict get $server port]]
  lset ::servers end+$level $server
  if {!$::singledb && ![dict exists $server config requirepass]} { [dict get $server client] select 9 }
}

proc newClient {level isDeferred} {
  set client [redis [srv $level host] [srv $level port] $isDeferred]
  set hello [expr {$::singledb ? {ping} : {select 9}}]
  if {$isDeferred} {
    $client {*}$hello
    $client read
  } else {
    $client {*}$hello
  }
  return $client
}
proc redis_client {args} { newClient [takeLevel args] 0 }
proc redis_deferring_client {args} { newClient [takeLevel args] 1 }
proc redis_client_by_addr {host port args} { redis $host $port 0 }
proc redis_deferring_client_by_addr {host port args} {
  set client [redis $host $port 1]
  $client ping
  $client read
  return $client
}

# Runs `code` against a server of its own, which stops at the end; without `code` returns the server's dictionary.
proc start_server {options {code undefined}} {
  set asked [dict create config default.conf overrides {} config_lines {} args {} omit {} tags {} \
    keep_persistence false wait_ready true]
  foreach {option value} $options {
    if {![dict exists $asked $option]} { error "Unknown option $option" }
    if {$option eq {overrides}} { set value [concat [dict get $asked overrides] $value] }
    dict set asked $option $value
  }
  set outerTags $::tags
  set ::tags [concat $::tags [flatTags [dict get $asked tags]]]
  if {![tags_acceptable $::tags reason]} {
    report group $reason
    set ::tags $outerTags
    return
  }
  if {[catch {expr {$::external ? [borrowServer $asked] : [launchServer $asked]}} server]} {
    incr ::num_failed
    report fail "(start of a server)" $server
    set ::tags $outerTags
    return
  }
  if {$code eq {undefined}} {
    set ::tags $outerTags
    return $server
  }
  lappend ::servers $server
  set depth [llength $::servers]
  set status [catch {
    if {!$::external || [dict get $asked wait_ready]} reconnect
    noteSettings
    if {$::external} { giveOverrides $asked }
    uplevel 1 $code
  } result resultOptions]
  set server [lindex $::servers $depth-1]
  set ::servers [lrange $::servers 0 $depth-2]
  if {$::external} { takeBackOverrides $server }
  stopServer $server
  if {![string is true [dict get $asked keep_persistence]]} { removeServer $server }
  set ::tags $outerTags
  if {$status == 1} {
    if {$::cur_test ne {}} { return -options $resultOptions $result }
    reportStray $result $resultOptions
  }
  return {}
}

# An error outside of any case: what stands behind it in the block is lost, so it is a failure.
proc reportStray {message options} {
  if {[isSkip $message]} {
    report skip "(outside of a test)" [string range $message 5 end]
    return
  }
  incr ::num_failed
  report fail "(outside of a test)" "$message\n[dict get $options -errorinfo]"
}

proc start_multiple_servers {count options code} {
  for {set i 0} {$i < $count} {incr i} { set code [list start_server $options $code] }
  uplevel 1 $code
}

# Settings that every server gets: those of the directory's tests/assets, if it has any, in the server's own names.
proc baseSettings {file} {
  set settings {}
  set path tests/assets/$file
  if {![file exists $path]} { set path [file join $::harness default.conf] }
  foreach line [split [readFile $path] \n] {
    if {[regexp {^\s*([^#\s]\S*)\s+(.*)$} $line -> name value]} { dict set settings $name [string trim $value] }
  }
  return $settings
}

# Starts a server process, waits for its PONG, and returns its dictionary.
proc launchServer {asked} {
  set dir [tmpdir server]
  set settings [baseSettings [dict get $asked config]]
  set port [find_available_port $::baseport $::portcount]
  set settings [dict merge $settings [dict create dir $dir bind $::host port $port unixsocket $dir/socket]]
  foreach {name value} [concat $::global_overrides [dict get $asked overrides]] { dict set settings $name $value }
  foreach name [dict get $asked omit] { dict unset settings $name }
  foreach {name value} [dict get $asked config_lines] { dict set settings $name $value }
  set server [dict create host $::host port [dict get $settings port] config $settings dir $dir \
    config_file $dir/redis.conf stdout $dir/stdout stderr $dir/stderr unixsocket $dir/socket \
    arguments [dict get $asked args]]
  writeSettings $dir/redis.conf $settings
  return [spawnServer $server [dict get $asked wait_ready]]
}

# Writes what the server knows of the settings; the others are about structures that it has not.
proc writeSettings {path settings} {
  set file [open $path w]
  dict for {name value} $settings {
    if {![knowsSetting $name]} continue
    if {$name eq {bind} && $value in {* {}}} { set value $::host }
    # The Tcl list of a file's overrides is the line's words.
    puts $file "$name [string map {{} {}} $value]"
  }
  puts $file "log-dir stdout"
  close $file
}

# Names of settings: those of the server's own kvrocks.conf, where each stands once.
proc knowsSetting {name} {
  if {![info exists ::settingNames]} {
    set ::settingNames {}
    foreach line [split [readFile $::knownSettings] \n] {
      if {[regexp {^(?:# )?([a-z][a-z0-9._-]*)(?: .*)?$} $line -> known]} { dict set ::settingNames $known 1 }
    }
  }
  return [dict exists $::settingNames [string tolower $name]]
}

proc spawnServer {server waitsReady} {
  set pid [exec $::binary -c [dict get $server config_file] {*}[dict get $server arguments] \
    >> [dict get $server stdout] 2>> [dict get $server stderr] &]
  report spawn $pid
  dict set server pid $pid
  set deadline [expr {[clock milliseconds] + 30000}]
  while {[clock milliseconds] < $deadline} {
    if {![is_alive $pid]} { break }
    if {[ping_server [dict get $server host] [dict get $server port]]} { return $server }
    if {!$waitsReady && [string match {*listen*} [readFile [dict get $server stdout]]]} { return $server }
    after 20
  }
  catch {exec kill -9 $pid}
  report gone $pid
  error "the server did not start: [string range [readFile [dict get $server stderr]][readFile [dict get $server stdout]] end-600 end]"
}

# True if the port answers PING, be it by an error.
proc ping_server {host port} {
  if {[catch {socket $host $port} fd]} { return 0 }
  fconfigure $fd -translation binary
  set answers [expr {![catch {
    puts -nonewline $fd "PING\r\n"
    flush $fd
    gets $fd line
  }] && [string index $line 0] in {+ -} && ![string match -LOADING* $line]}]
  close $fd
  return $answers
}

proc server_is_up {host port tries} {
  for {set i 0} {$i < $tries} {incr i} {
    if {[ping_server $host $port]} { return 1 }
    after 50
  }
  return 0
}

proc is_alive {pid} {
  # A child that ended and was not waited for yet is not alive.
  if {[catch {exec kill -0 $pid}]} { return 0 }
  if {[catch {readFile /proc/$pid/stat} stat]} { return 1 }
  return [expr {![regexp {\) Z } $stat]}]
}
proc process_is_alive {pid} { is_alive $pid }

proc kill_server {server} { stopServer $server }

proc stopServer {server} {
  if {[dict exists $server client]} { catch {[dict get $server client] close} }
  if {$::external} return
  set pid [dict get $server pid]
  catch {exec kill $pid}
  catch {exec kill -CONT $pid}
  for {set i 0} {[is_alive $pid]} {incr i} {
    if {$i == 1500} { catch {exec kill -9 $pid} }
    after 10
  }
  report gone $pid
}

proc removeServer {server} {
  if {!$::external && !$::keepsFiles} { file delete -force [dict get $server dir] }
}

# Stops the server at a level and starts it again on the same files.
proc restart_server {level waitsReady rotatesLogs {reconnects 1} {shutdown sigterm}} {
  if {$::external} { skip_case "restarts the server, which is not ours" }
  set server [get_srv $level]
  if {$shutdown ne {sigterm}} { catch {[dict get $server client] shutdown $shutdown} }
  stopServer $server
  dict unset server client
  if {$rotatesLogs} {
    foreach log {stdout stderr} { file rename -force [dict get $server $log] [dict get $server $log].[clock milliseconds] }
  }
  lset ::servers end+$level [spawnServer $server $waitsReady]
  if {$reconnects} { reconnect $level }
}

# After a case that failed: starts servers anew that died in it, gives the main clients fresh connections, and ends
# the waits of all others. Returns what died, for the message.
proc recover {} {
  set note {}
  for {set level 0} {-$level < [llength $::servers]} {incr level -1} {
    set server [get_srv $level]
    if {!$::external && ![is_alive [dict get $server pid]]} {
      append note "The server died: [string range [readFile [dict get $server stderr]][readFile [dict get $server stdout]] end-600 end]\n"
      report gone [dict get $server pid]
      catch {lset ::servers end+$level [spawnServer $server 1]}
    }
    catch {
      renewClient [dict get $server client]
      giveSettingsBack $server
      endWaits [dict get $server client]
    }
  }
  return $note
}

# The settings with which the innermost server began.
proc noteSettings {} {
  set server [get_srv 0]
  if {![dict exists $server client] || [catch {[dict get $server client] config get *} settings]} return
  dict set server settings $settings
  lset ::servers end $server
}

proc giveSettingsBack {server} {
  if {![dict exists $server settings]} return
  set client [dict get $server client]
  set now [$client config get *]
  foreach {name value} [dict get $server settings] {
    if {[dict exists $now $name] && [dict get $now $name] ne $value} { catch {$client config set $name $value} }
  }
}

proc endWaits {client} {
  catch {$client client unpause}
  foreach line [split [$client client list] \n] {
    if {[regexp {^id=(\d+) .*flags=\S*b} $line -> id]} { catch {$client client kill id $id} }
  }
}

# Files keep the main client's name in variables, so that it must stay the same client.
proc renewClient {client} {
  ::redis::renew [string range $client [string length ::redis::client] end]
  if {!$::singledb} { $client select 9 }
}

# The test's name, in the logs of the servers that are ours.
proc noteInLogs {text} {
  if {$::external} return
  foreach server $::servers {
    catch {
      set file [open [dict get $server stdout] a]
      puts $file "### $text"
      close $file
    }
  }
}

# A server that somebody else started: emptied, with its settings kept to give them back.
proc borrowServer {asked} {
  set client [redis $::host $::port]
  set server [dict create host $::host port $::port config [dict create port $::port] pid 0 \
    stdout /dev/null stderr /dev/null config_file {} dir {} unixsocket {} before {}]
  $client flushall
  catch {$client function flush}
  catch {dict set server before [$client config get *]}
  $client close
  return $server
}

proc giveOverrides {asked} {
  foreach {name value} [dict get $asked overrides] { catch {r config set $name $value} }
}

proc takeBackOverrides {server} {
  catch {
    set client [redis $::host $::port]
    foreach {name value} [$client config get *] {
      if {[dict exists $server before $name] && [dict get $server before $name] ne $value} {
        catch {$client config set $name [dict get $server before $name]}
      }
    }
    $client close
  }
}

proc find_available_port {first count} {
  for {set i 0} {$i < $count} {incr i} {
    set port [expr {$first + ($::last_port_attempted + $i) % $count}]
    if {[catch {socket -server {apply {{args} {}}} -myaddr 127.0.0.1 $port} fd]} continue
    close $fd
    set ::last_port_attempted [expr {$port - $first + 1}]
    return $port
  }
  error "no free port from $first to [expr {$first + $count - 1}]"
}

proc tmpdir {name} {
  set path [file join $::tmp $name.[incr ::tmpCount]]
  file mkdir $path
  return $path
}
proc tmpfile {name} { return [file join $::tmp $name.[incr ::tmpCount]] }
set ::tmpCount 0

proc readFile {path} {
  if {![file exists $path]} { return {} }
  set file [open $path r]
  fconfigure $file -translation binary
  set text [read $file]
  close $file
  return $text
}
