using System.Reflection;

// The identity of PowerShell 3.0's own assembly, so that the reference in ours is the right one. Never shipped.
[assembly: AssemblyVersion("3.0.0.0")]
[assembly: AssemblyTitle("The part of PowerShell 3.0's API that this module uses")]
