using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Microsoft.Win32;
using Microsoft.Win32.SafeHandles;

namespace PersistentChatFailover.Interop
{
    /// <summary>What Windows says about files, protocols and rights. Elsewhere there is nothing to ask.</summary>
    internal static class Machine
    {
        private const uint GenericRead = 0x80000000;
        private const uint ShareAll = 7;
        private const uint OpenExisting = 3;
        private const int FirstFramework45 = 378389;
        private const string Framework = @"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full";
        private const string Channel =
            @"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\";

        [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true, ExactSpelling = true)]
        private static extern SafeFileHandle CreateFileW(
            string name, uint access, uint share, IntPtr security, uint creation, uint flags, IntPtr template);

        [DllImport("shell32", ExactSpelling = true)]
        private static extern int IsUserAnAdmin();

        [DllImport("libc", EntryPoint = "geteuid")]
        private static extern uint EffectiveUser();

        /// <summary>True where the file bears the mark that browsers and mail programs leave.</summary>
        internal static bool HasZoneMark(string path)
        {
            if (!NativeMethods.IsWindows)
            {
                return false;
            }
            using (SafeFileHandle stream = CreateFileW(
                path + ":Zone.Identifier", GenericRead, ShareAll, IntPtr.Zero, OpenExisting, 0, IntPtr.Zero))
            {
                return !stream.IsInvalid;
            }
        }

        /// <summary>True where this process may write where only administrators may.</summary>
        internal static bool IsElevated()
        {
            return NativeMethods.IsWindows ? IsUserAnAdmin() != 0 : EffectiveUser() == 0;
        }

        /// <summary>True unless the registry tells of a .NET Framework before 4.5.</summary>
        internal static bool HasFramework45()
        {
            object release = Registry.GetValue(Framework, "Release", null);
            return release is int && (int)release >= FirstFramework45;
        }

        /// <summary>Versions of TLS that the administrator has switched off for clients, as SChannel's registry keys say.</summary>
        internal static List<string> TlsSwitchedOff()
        {
            return new[] { "TLS 1.0", "TLS 1.1", "TLS 1.2" }.Where(SwitchedOff).ToList();
        }

        private static bool SwitchedOff(string protocol)
        {
            // Off by default is no hindrance: the library asks for each version by name.
            object enabled = Registry.GetValue(Channel + protocol + @"\Client", "Enabled", null);
            return enabled is int && (int)enabled == 0;
        }
    }
}
