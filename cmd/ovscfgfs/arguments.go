package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves the flags of a command before its arguments, where the
// library looks for them: `mount DIR -o ro` is how mount(8) and people write it.
func flagsFirst(app *cli.App, args []string) []string {
	at := slices.IndexFunc(args[1:], func(arg string) bool { return !strings.HasPrefix(arg, "-") }) + 1
	if at == 0 {
		return args
	}
	command := app.Command(args[at])
	if command == nil {
		return args
	}
	flags, rest := slices.Clone(args[:at+1]), []string{}
	for i := at + 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) < 2 || arg[0] != '-' || strings.Contains("0123456789", arg[1:2]): // -5 is a value, as of set
			rest = append(rest, arg)
		default:
			flags = append(flags, arg)
			if takesValue(command, arg) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		}
	}
	if slices.ContainsFunc(rest, func(arg string) bool { return strings.HasPrefix(arg, "-") && arg != "-" }) {
		flags = append(flags, "--")
	}
	return append(flags, rest...)
}

// takesValue reports whether the flag's value is the next argument.
func takesValue(command *cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, flag := range command.Flags {
		if slices.Contains(flag.Names(), name) {
			_, isBool := flag.(*cli.BoolFlag)
			return !isBool
		}
	}
	return false
}
