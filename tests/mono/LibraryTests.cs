using System;
using System.IO;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Tests
{
    /// <summary>Where the native library cannot be had, the administrator gets one plain sentence.</summary>
    [Tests]
    internal static class LibraryTests
    {
        public static void AShellOf32BitsIsToldWhichOneToOpen()
        {
            NativeMethods.RequireWide(8);
            var e = Check.Throws<PlatformNotSupportedException>(() => NativeMethods.RequireWide(4));
            Check.Equal(
                "PCHAT1006: This is a 32-bit shell. Open the 64-bit Lync Server Management Shell or the 64-bit PowerShell.",
                PChatException.NotLoaded(e).Message);
        }

        public static void ALibraryForAnotherKindOfProcessIsToldAsSuch()
        {
            const int BadExeFormat = 193;
            Check.Contains("another kind of process", NativeMethods.InWords(BadExeFormat));
        }

        public static void AMissingLibraryIsNamedWithItsPath()
        {
            string path = Path.Combine(Path.GetTempPath(), "no-library-of-this-name.dll");
            var e = Check.Throws<FileNotFoundException>(() => NativeMethods.Open(path));
            Check.Contains(path, e.Message);
            Check.Contains(path, PChatException.NotLoaded(e).Message);
        }
    }
}
