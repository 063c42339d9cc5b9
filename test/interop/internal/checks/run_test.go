package checks

import (
	"errors"
	"regexp"
	"testing"

	"flotilla.io/test/interop/internal/veleroserver"
)

// outcomes runs a check whose tries end so, one after the other, and returns how it counts and how often it was tried.
func outcomes(t *testing.T, errs ...error) (runner, int) {
	t.Helper()
	tried := 0
	each := check{title: "something", run: func(t *T) {
		tried++
		t.NoError(errs[tried-1], "stop")
	}}
	r := runner{spec: Spec{WorkDir: t.TempDir()}, filter: regexp.MustCompile("")}
	r.run("nowhere", each, func() *T { return &T{} })
	return r, tried
}

func TestAProcessThatEndsLateByChanceIsTriedAgain(t *testing.T) {
	if r, tried := outcomes(t, veleroserver.SlowExit{}, veleroserver.SlowExit{}, nil); r.passed != 1 || r.failed != 0 || tried != 3 {
		t.Errorf("%d passed, %d failed, %d tries", r.passed, r.failed, tried)
	}
}

func TestAProcessThatEndsLateEachTimeFails(t *testing.T) {
	slow := veleroserver.SlowExit{}
	if r, tried := outcomes(t, slow, slow, slow, nil); r.passed != 0 || r.failed != 1 || tried != 3 {
		t.Errorf("%d passed, %d failed, %d tries", r.passed, r.failed, tried)
	}
}

func TestAnyOtherFailureIsNotTriedAgain(t *testing.T) {
	if r, tried := outcomes(t, errors.New("wrong"), nil); r.passed != 0 || r.failed != 1 || tried != 1 {
		t.Errorf("%d passed, %d failed, %d tries", r.passed, r.failed, tried)
	}
}
