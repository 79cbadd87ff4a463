using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Reflection;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// Tells whether the module is whole and what of it would not work in this shell on this machine. Reads only; needs no
    /// instance, no pool, and not even the native library.
    /// </summary>
    [Cmdlet(VerbsDiagnostic.Test, "PChatInstallation")]
    [OutputType(typeof(InstallationCheck))]
    public sealed class TestPChatInstallation : PSCmdlet
    {
        protected override void ProcessRecord()
        {
            string folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) ?? string.Empty;
            var files = new PackageFiles(Path.GetDirectoryName(folder) ?? folder);
            var checks = new Func<InstallationCheck>[]
            {
                files.Hashes, () => files.ZoneMarks(Machine.HasZoneMark), Shell, Framework, Policy, Library, LabProgram, Tls,
                Elevation, Commands,
            };
            foreach (Func<InstallationCheck> check in checks)
            {
                WriteObject(Guarded(check));
            }
        }

        private static InstallationCheck Guarded(Func<InstallationCheck> check)
        {
            try
            {
                return check();
            }
            catch (Exception e) when (!(e is PipelineStoppedException))
            {
                // What cannot be read is told as that; the other checks go on.
                return InstallationCheck.Of(check.Method.Name, "unknown", e.Message, "readable", "This could not be read.");
            }
        }

        private InstallationCheck Shell()
        {
            var table = GetVariableValue("PSVersionTable") as Hashtable;
            Version version = Host.Version;
            string edition = "Desktop";
            if (table != null)
            {
                version = table["PSVersion"] as Version ?? version;
                edition = table["PSEdition"] as string ?? edition;
            }
            string value = Host.Name + ", PowerShell " + (table == null ? version.ToString() : table["PSVersion"].ToString()) +
                " " + edition + ", " + (IntPtr.Size * 8) + " bit";
            const string wanted = "Windows PowerShell 3.0 to 5.1, 64 bit, where Lync's own commands are";
            if (IntPtr.Size != 8)
            {
                return InstallationCheck.Of("Shell", "failed", value, wanted,
                    "The native library is for 64 bit. Open the 64-bit Lync Server Management Shell.");
            }
            return edition == "Desktop"
                ? InstallationCheck.Of("Shell", "passed", value, wanted, string.Empty)
                : InstallationCheck.Of("Shell", "warning", value, wanted,
                    "Everything about the instances works here. The steps on the pool need Lync's own commands, which load in Windows PowerShell only.");
        }

        private static InstallationCheck Framework()
        {
            const string wanted = ".NET Framework 4.5 or later";
            string value = Environment.Version.ToString();
            if (!NativeMethods.IsWindows || Environment.Version.Major > 4)
            {
                return InstallationCheck.Of("Framework", "passed", ".NET " + value, wanted, string.Empty);
            }
            return Machine.HasFramework45()
                ? InstallationCheck.Of("Framework", "passed", value, wanted, string.Empty)
                : InstallationCheck.Of("Framework", "failed", value, wanted, "Install .NET Framework 4.5.");
        }

        private static InstallationCheck Policy()
        {
            const string wanted = "RemoteSigned, Unrestricted or Bypass";
            string value;
            using (PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace))
            {
                value = string.Join(string.Empty, shell.AddCommand("Get-ExecutionPolicy").Invoke().Select(one => one.BaseObject.ToString()));
            }
            if (value == "AllSigned" || value == "Restricted")
            {
                return InstallationCheck.Of("ExecutionPolicy", value == "AllSigned" ? "warning" : "failed", value, wanted, value == "AllSigned"
                    ? "Manifest, format file and stand-ins must bear a signature that you trust; docs/install.md says how to sign them."
                    : "The format file and the stand-ins are refused. Set-ExecutionPolicy RemoteSigned -Scope CurrentUser.");
            }
            return InstallationCheck.Of("ExecutionPolicy", "passed", value, wanted, string.Empty);
        }

        private static InstallationCheck Library()
        {
            string wanted = "release " + Assembly.GetExecutingAssembly().GetName().Version.ToString(3) + ", loaded from the module's folder";
            try
            {
                return InstallationCheck.Of("Library", "passed", PchatLibrary.Instance.About, wanted, string.Empty);
            }
            catch (PChatException e)
            {
                return InstallationCheck.Of("Library", "failed", e.Error.Message, wanted,
                    "No command but this one works. " + e.RecommendedAction);
            }
        }

        private static InstallationCheck LabProgram()
        {
            string program = LabProcess.Program;
            bool there = File.Exists(program);
            return InstallationCheck.Of("Lab", there ? "passed" : "warning", there ? program : "missing: " + program,
                "the lab's program beside the library", there ? string.Empty : "Start-PChatLab and Invoke-PChatDrill do not work.");
        }

        private static InstallationCheck Tls()
        {
            const string wanted = "TLS 1.0, 1.1 and 1.2 for old instances";
            if (!NativeMethods.IsWindows)
            {
                return InstallationCheck.Of("Tls", "warning", "rustls: TLS 1.2 and 1.3", wanted,
                    "Instances that speak nothing newer than TLS 1.0 cannot be reached from this machine.");
            }
            List<string> off = Machine.TlsSwitchedOff();
            return off.Count == 0
                ? InstallationCheck.Of("Tls", "passed", "SChannel, no version switched off", wanted, string.Empty)
                : InstallationCheck.Of("Tls", "warning", "SChannel without " + string.Join(", ", off), wanted,
                    "Instances that speak only what is switched off here cannot be reached from this machine.");
        }

        private static InstallationCheck Elevation()
        {
            return Machine.IsElevated()
                ? InstallationCheck.Of("Elevation", "passed", "administrator", "administrator", string.Empty)
                : InstallationCheck.Of("Elevation", "warning", "no administrator", "administrator",
                    "The machine-wide journal folder is for administrators. Run the shell as administrator, or give -JournalPath.");
        }

        private InstallationCheck Commands()
        {
            const string wanted = "Get-CsService of Lync or SkypeForBusiness";
            CommandInfo found = InvokeCommand.GetCommand("Get-CsService", CommandTypes.Cmdlet | CommandTypes.Function);
            return found != null
                ? InstallationCheck.Of("NativeCommands", "passed", found.Name + " of " + found.ModuleName, wanted, string.Empty)
                : InstallationCheck.Of("NativeCommands", "warning", "not in this shell", wanted,
                    "The steps on the pool would not work. Open the management shell, or Import-Module Lync (SkypeForBusiness).");
        }
    }
}
